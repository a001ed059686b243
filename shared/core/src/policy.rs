//! How a field follows the source of its record.

use crate::Entity;

/// How a field follows a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The source's value is taken, unless a person pinned the field.
    SourceWins,
    /// The source's value is taken where there is none.
    FillIfEmpty,
    /// The source has no say.
    Never,
}

/// The table of policies; what is not named follows its source.
#[must_use]
pub fn field_policy(source: &str, entity: Entity, field: &str) -> Policy {
    match (source, entity, field) {
        // Notes are written by technicians, and where a company is, people know better than one line of a department: what it
        // says is a start.
        ("freshservice", Entity::Company, "description") | ("freshservice", Entity::Location, _) => Policy::FillIfEmpty,
        // A site tells which company it belongs to, and nothing of the company. Freshservice knows no kinds of employment.
        ("datto", Entity::Company, _) | ("freshservice", Entity::Contact, "employment_type") => Policy::Never,
        _ => Policy::SourceWins,
    }
}
