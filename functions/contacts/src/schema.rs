//! What callers send, for the OpenAPI document alone: which values a field takes is said by `nexus_core::entity`.

use nexus_web::TextList;
use serde::Serialize;
use utoipa::ToSchema;

/// A new contact.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewContact {
    /// Full name.
    #[schema(example = "Ada Byron")]
    name: String,
    /// E-mail address, unique without regard to case.
    #[schema(example = "ada@ackermann.example")]
    email: String,
    #[serde(flatten)]
    others: ContactChanges,
}

/// The fields of a contact to set; null or blank empties one. Whatever else a contact is read with is passed over, so
/// one may be sent back as it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct ContactChanges {
    /// Full name.
    name: Option<String>,
    /// E-mail address, unique without regard to case.
    email: Option<String>,
    /// Job title.
    title: Option<String>,
    /// E.g. `Full Time`, which is what a new contact has.
    employment_type: Option<String>,
    /// Works there at present, as a new contact does.
    active: Option<bool>,
    /// Mobile number.
    mobile_phone_number: Option<String>,
    /// Work number.
    work_phone_number: Option<String>,
    /// Further addresses.
    secondary_emails: Option<TextList>,
    /// Account numbers of the companies: all of them.
    company_account_numbers: Option<Vec<String>>,
    /// The older form of `company_account_numbers`: the one company.
    company_account_number: Option<String>,
}
