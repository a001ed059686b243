//! Telephone numbers as people type them: what two ways of writing one number have in common.

/// Digits of a number that are compared: enough to tell numbers apart, few enough to leave out what is written or not as
/// one likes (the country's code, the zero before the area's).
const COMPARED: usize = 9;
/// Fewer digits than this are no telephone number but a part of anything.
const FEWEST: usize = 5;

/// The digits of a text that is written as a telephone number, for a search in [`digits`] of stored ones; none for any
/// other text.
///
/// `+44 20 7946 0958`, `0044 (0)20 7946-0958` and `020 7946 0958` have the same.
#[must_use]
pub fn key(text: &str) -> Option<String> {
    let is_number = text.chars().all(|c| c.is_ascii_digit() || " +-/.()\u{a0}\u{2011}\u{2013}".contains(c));
    let digits = digits(text);
    let digits = digits.trim_start_matches('0');
    if !is_number || digits.len() < FEWEST {
        return None;
    }
    Some(digits[digits.len().saturating_sub(COMPARED)..].to_owned())
}

/// The digits of a stored number.
#[must_use]
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::{digits, key};

    #[test]
    fn one_number_is_found_however_it_is_written() {
        let ways =
            ["+44 20 7946 0958", "0044 (0)20 7946-0958", "020 7946 0958", "+44 (0) 20.7946.0958", "442079460958"];
        for stored in ways {
            for asked in ways {
                let key = key(asked).unwrap();
                assert!(digits(stored).contains(&key), "{asked} in {stored}");
            }
        }
        assert!(digits("(555) 555-0100").contains(&key("555-0100").unwrap()));
        assert!(!digits("+44 20 7946 0959").contains(&key("020 7946 0958").unwrap()));
    }

    #[test]
    fn what_is_no_number_has_no_key() {
        for text in ["", "555", "0000", "10.0.0.x", "Ada 5550100", "++"] {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
