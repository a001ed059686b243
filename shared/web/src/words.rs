//! Words of pages.

/// What is wrong with a field, as a sentence beside it. Most faults go on after the field's name (`must have a value`); the others
/// are clauses of their own.
#[must_use]
pub fn sentence(fault: &str) -> String {
    if ["must ", "is ", "has "].iter().any(|verb| fault.starts_with(verb)) {
        return format!("This {fault}.");
    }
    if fault.is_empty() { String::new() } else { format!("{}.", capitalised(fault)) }
}

pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn every_fault_reads_as_a_sentence() {
        for (fault, expected) in [
            ("must have a value", "This must have a value."),
            ("is not known by this name", "This is not known by this name."),
            ("there is no company with the account number \"9\"", "There is no company with the account number \"9\"."),
            ("an asset belongs to one company at most", "An asset belongs to one company at most."),
            ("issues are no faults", "Issues are no faults."),
            ("", ""),
        ] {
            assert_eq!(sentence(fault), expected);
        }
    }
}
