//! One page of a vendor's list: the envelope as a whole, each record on its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::excerpt;
use crate::lenient::{Fields, Unreadable, canonical_text};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Number of the page, counted from 1.
    pub number: u32,
    /// The records, in the vendor's order, without those that this or an earlier page already had.
    pub records: Vec<T>,
    /// The records that could not be read. A sweep with any of them is not complete.
    pub quarantined: Vec<Quarantined>,
    /// Records left out because their id had come before. Lists shift while people edit, so some are normal.
    pub duplicates: usize,
    /// Records of the whole list, where the vendor tells.
    pub total: Option<u64>,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The vendor's id, when at least that could be read.
    pub id: Option<String>,
    /// The field and the form it should have had, such as `department_ids: expected a list of whole numbers`. Holds
    /// nothing of the record.
    pub reason: String,
}

/// Reads the fields of a record whose id is known.
pub(crate) type ReadRecord<T> = fn(i64, &mut Fields) -> Result<T, Unreadable>;

/// The value of the envelope's key; several keys are several spellings of one.
///
/// A missing key is an error and not an empty list: an error page with status 200 would otherwise empty the directory.
pub(crate) fn open<'a>(body: &'a [u8], keys: &[&str]) -> Result<&'a RawValue, Error> {
    Envelope::read(body)?.take(keys)
}

/// An answer, its members still unread.
pub(crate) struct Envelope<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Envelope<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map(Self).map_err(|error| {
            // serde's own words may quote the body.
            let reason = if error.is_data() { "expected an object" } else { "not JSON" };
            Error::malformed("$", format!("{reason} (line {}, column {})", error.line(), error.column()))
        })
    }

    pub(crate) fn take(&mut self, keys: &[&str]) -> Result<&'a RawValue, Error> {
        keys.iter()
            .find_map(|key| self.0.remove(*key))
            .ok_or_else(|| Error::malformed(format!("$.{}", keys.join("|")), "missing"))
    }
}

/// The list in the envelope, each record still unread.
pub(crate) fn open_list<'a>(body: &'a [u8], keys: &[&str]) -> Result<Vec<&'a RawValue>, Error> {
    list(open(body, keys)?, keys)
}

/// A list, each record still unread.
pub(crate) fn list<'a>(list: &'a RawValue, keys: &[&str]) -> Result<Vec<&'a RawValue>, Error> {
    serde_json::from_str(list.get()).map_err(|_| Error::malformed(format!("$.{}", keys.join("|")), "expected a list"))
}

/// Reads one record with its id.
pub(crate) fn read<T>(raw: &RawValue, read: ReadRecord<T>) -> Result<(i64, T), Quarantined> {
    let record = Fields::of(raw).and_then(|mut fields| {
        let id = fields.id()?;
        Ok((id, read(id, &mut fields)?))
    });
    record.map_err(|Unreadable { field, expected }| Quarantined {
        id: readable_id(raw),
        reason: format!("{field}: expected {expected}"),
    })
}

/// The id of a record of which little else may be readable, shortened for showing.
fn readable_id(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Identity<'a> {
        // Raw, so that nothing else of the record has to be readable.
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let identity: Identity<'_> = serde_json::from_str(raw.get()).ok()?;
    let id = canonical_text(&serde_json::from_str(identity.id.get()).ok()?)?;
    Some(excerpt::one_line(&id).chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(body: &str) -> Result<(i64, Option<String>), Quarantined> {
        read(serde_json::from_str(body).unwrap(), |_, fields| fields.text("name"))
    }

    #[test]
    fn the_list_is_found_under_each_spelling_of_its_key() {
        let keys = ["requesters", "requester"];
        assert_eq!(open_list(br#"{"requesters":[1,2]}"#, &keys).unwrap().len(), 2);
        assert_eq!(open_list(br#"{"meta":{},"requester":[1]}"#, &keys).unwrap().len(), 1);
    }

    #[test]
    fn an_answer_without_the_list_is_an_error_and_quotes_nothing() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "\"confidential\"",
            "<html>confidential</html>",
            r#"{"departments":null}"#,
            r#"{"departments":{"id":1}}"#,
            r#"{"departments":"confidential"}"#,
            r#"{"departments":[1"#,
            r#"{"description":"confidential"}"#,
            &deep,
        ] {
            let error = open_list(body.as_bytes(), &["departments"]).unwrap_err();
            assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
            assert!(!error.to_string().contains("confidential"), "{error}");
        }
        assert!(open_list(b"{\"departments\":[{\"name\":\"\xff\"}]}", &["departments"]).is_err());
        let error = open_list(br#"{"requesters":[]}"#, &["departments"]).unwrap_err();
        assert_eq!(error.to_string(), "the vendor's answer cannot be read at $.departments: missing");
    }

    #[test]
    fn an_unreadable_record_is_quarantined_with_its_id_and_without_its_data() {
        let quarantined = read_text(r#"{"name":["confidential"],"id":39000380032}"#).unwrap_err();
        assert_eq!(quarantined.id.as_deref(), Some("39000380032"));
        assert_eq!(quarantined.reason, "name: expected a text");
    }

    #[test]
    fn a_record_without_a_usable_id_is_quarantined() {
        for (body, id) in [
            (r#"{"name":"x"}"#, None),
            (r#"{"id":null}"#, None),
            (r#"{"id":{"a":1}}"#, None),
            (r#"{"id":"abc"}"#, Some("abc")),
            ("5", None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(read_text(body).unwrap_err().id.as_deref(), id, "{body}");
        }
    }

    #[test]
    fn a_record_nested_too_deeply_or_with_a_broken_text_loses_only_itself() {
        let deep = format!(r#"{{"id":7,"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        for record in [deep.as_str(), r#"{"id":7,"name":"\ud800"}"#] {
            let body = format!(r#"{{"departments":[{record},{{"id":8,"name":"ok"}}]}}"#);
            let list = open_list(body.as_bytes(), &["departments"]).unwrap();
            let first = read(list[0], |_, fields| fields.text("name")).unwrap_err();
            assert_eq!(first.id.as_deref(), Some("7"));
            assert_eq!(read(list[1], |_, fields| fields.text("name")), Ok((8, Some("ok".into()))));
        }
    }

    #[test]
    fn a_hostile_id_is_shortened() {
        let quarantined = read_text(&format!(r#"{{"id":"\u001b[31m{}"}}"#, "9".repeat(5000))).unwrap_err();
        let id = quarantined.id.unwrap();
        assert!(id.len() == 40 && !id.contains('\u{1b}'), "{id}");
    }
}
