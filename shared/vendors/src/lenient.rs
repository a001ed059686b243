//! Reads the fields of one record, in every form in which vendors send them.
//!
//! A form that no vendor is known to send makes the field, and with it the record, [`Unreadable`]. It is not taken for
//! a blank: an account number or a department that silently became blank would be a change of the record.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Why a record was not read. Names the field and the expected form; never what stood there, which may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) field: &'static str,
    pub(crate) expected: &'static str,
}

/// The fields of one JSON object that were not taken yet. A missing field and `null` are the same.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn of(raw: &RawValue) -> Result<Self, Unreadable> {
        serde_json::from_str(raw.get()).map(Self).map_err(|_| Unreadable { field: "record", expected: "an object" })
    }

    fn take(&mut self, field: &str) -> Value {
        self.0.remove(field).unwrap_or_default()
    }

    /// The number that identifies the record. 64 bits: ids of Freshservice have 11 digits.
    pub(crate) fn id(&mut self) -> Result<i64, Unreadable> {
        integer(&self.take("id")).ok_or(Unreadable { field: "id", expected: "a whole number" })
    }

    /// A whole number, as number or text; blank text is absent.
    pub(crate) fn integer(&mut self, field: &'static str) -> Result<Option<i64>, Unreadable> {
        match self.take(field) {
            value if is_blank(&value) => Ok(None),
            value => integer(&value).map(Some).ok_or(Unreadable { field, expected: "a whole number" }),
        }
    }

    /// A text; a number (phones, external ids) becomes its digits.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<Option<String>, Unreadable> {
        text(self.take(field)).map_err(|()| Unreadable { field, expected: "a text" })
    }

    /// A truth value, as such, as text or as 0 or 1.
    pub(crate) fn flag(&mut self, field: &'static str) -> Result<Option<bool>, Unreadable> {
        let value = self.take(field);
        if is_blank(&value) {
            return Ok(None);
        }
        match canonical_text(&value).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(Unreadable { field, expected: "true or false" }),
        }
    }

    /// A point in time in any form of RFC 3339. A broken one is absent: no decision rests on a vendor's time.
    pub(crate) fn time(&mut self, field: &str) -> Option<Timestamp> {
        self.take(field).as_str()?.trim().parse().ok()
    }

    /// A point in time in any form that Datto has been seen to send: RFC 3339, milliseconds or seconds since 1970 as number
    /// or text. The year 1 stands for none. A broken one is absent.
    pub(crate) fn any_time(&mut self, field: &str) -> Option<Timestamp> {
        const YEAR_ONE: f64 = -62_135_596_800.0;
        /// As seconds far in the future, as milliseconds in 1973.
        const FIRST_MILLISECONDS: f64 = 100_000_000_000.0;
        let value = canonical_text(&self.take(field))?;
        let Ok(number) = value.parse::<f64>() else { return value.parse().ok() };
        let seconds = if number.abs() >= FIRST_MILLISECONDS { number / 1_000.0 } else { number };
        if !seconds.is_finite() || seconds <= YEAR_ONE {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "what is too large is at the end of time, and no time")]
        Timestamp::from_millisecond((seconds * 1_000.0).round() as i64).ok()
    }

    /// A list of whole numbers; `null` is the empty list, and so is a `null` in the list nothing.
    pub(crate) fn integers(&mut self, field: &'static str) -> Result<Vec<i64>, Unreadable> {
        let unreadable = Unreadable { field, expected: "a list of whole numbers" };
        self.list(field, unreadable)?.iter().map(|value| integer(value).ok_or(unreadable)).collect()
    }

    /// A list of texts, with the same rules.
    pub(crate) fn texts(&mut self, field: &'static str) -> Result<Vec<String>, Unreadable> {
        let unreadable = Unreadable { field, expected: "a list of texts" };
        let texts = self.list(field, unreadable)?.into_iter().map(|value| text(value).map_err(|()| unreadable));
        texts.filter_map(Result::transpose).collect()
    }

    fn list(&mut self, field: &str, unreadable: Unreadable) -> Result<Vec<Value>, Unreadable> {
        match self.take(field) {
            Value::Null => Ok(Vec::new()),
            Value::Array(values) => Ok(values.into_iter().filter(|value| !value.is_null()).collect()),
            _ => Err(unreadable),
        }
    }

    /// A list of objects.
    pub(crate) fn objects(&mut self, field: &'static str) -> Result<Vec<Map<String, Value>>, Unreadable> {
        let unreadable = Unreadable { field, expected: "a list of objects" };
        let objects = self.list(field, unreadable)?.into_iter().map(|value| match value {
            Value::Object(object) => Ok(object),
            _ => Err(unreadable),
        });
        objects.collect()
    }

    /// The fields that are left, as they came.
    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The fields that are left.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = (String, Value)> {
        self.0.into_iter()
    }

    /// An object inside the record.
    pub(crate) fn object(&mut self, field: &'static str) -> Result<Option<Self>, Unreadable> {
        match self.take(field) {
            Value::Null => Ok(None),
            Value::Object(fields) => Ok(Some(Self(fields))),
            _ => Err(Unreadable { field, expected: "an object" }),
        }
    }

    /// The fields that the customer defined; `null` is none.
    pub(crate) fn custom_fields(&mut self) -> Result<CustomFields, Unreadable> {
        Ok(self.object("custom_fields")?.map(|fields| CustomFields(fields.0)).unwrap_or_default())
    }
}

/// The fields that a customer defined for a kind of record: snake-case names, any JSON as value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomFields(Map<String, Value>);

impl CustomFields {
    /// The value as it came; `None` when there is no such field. A blank field may be there, as `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value as one canonical text, for comparing and storing: `123456`, `123456.0` and `" 123456 "` are all
    /// `123456`; a truth value is `true` or `false`. `None` for a blank value, a list or an object.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(canonical_text)
    }

    /// All fields in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same fields, with this value in one of them.
    #[must_use]
    pub fn with(&self, name: &str, value: impl Into<Value>) -> Self {
        let mut fields = self.0.clone();
        fields.insert(name.to_owned(), value.into());
        Self(fields)
    }

    /// The names of the fields that have other values in `other`, in alphabetical order. Another form is no other value: the
    /// numbers `12` and `12.0` and the text `"12"` are one, as are a blank field and one that is not there.
    #[must_use]
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let value = |fields: &Self, name: &str| fields.0.get(name).filter(|value| !is_blank(value)).map(canonical);
        names.into_iter().map(String::as_str).filter(|name| value(self, name) != value(other, name)).collect()
    }

    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// One value for one meaning: a scalar as its canonical text, anything else as it came.
fn canonical(value: &Value) -> Value {
    canonical_text(value).map_or_else(|| value.clone(), Value::String)
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A JSON number without a fraction part, or a text of digits. A float is refused: it may have lost digits.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text(value: Value) -> Result<Option<String>, ()> {
    match value {
        Value::String(text) => Ok(Some(text)),
        Value::Array(_) | Value::Object(_) => Err(()),
        scalar => Ok(canonical_text(&scalar)),
    }
}

/// One text for one scalar value, however it was sent. `None` for a blank and for what is not a scalar.
pub(crate) fn canonical_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        // A float displays without ".0" when it is whole; an integer must not go through a float, which has 53 bits.
        Value::Number(number) if number.is_f64() => number.as_f64().map(|float| float.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        Fields::of(&RawValue::from_string(value.to_string()).unwrap()).unwrap()
    }

    fn field(value: Value) -> Fields {
        fields(&Value::Object(Map::from_iter([("id".into(), value.clone()), ("field".into(), value)])))
    }

    #[test]
    fn an_id_may_be_a_number_or_a_text_and_has_64_bits() {
        for id in [json!(39_000_380_032_i64), json!("39000380032"), json!(" 39000380032 ")] {
            assert_eq!(field(id.clone()).id(), Ok(39_000_380_032), "{id}");
        }
        for id in [json!(null), json!(""), json!("abc"), json!(1.5), json!([1]), json!(true), json!(u64::MAX)] {
            assert!(field(id.clone()).id().is_err(), "{id}");
        }
    }

    #[test]
    fn numbers_are_accepted_as_text_and_blanks_are_absent() {
        assert_eq!(field(json!("17")).integer("field"), Ok(Some(17)));
        assert_eq!(field(json!("")).integer("field"), Ok(None));
        assert_eq!(field(json!(null)).integer("field"), Ok(None));
        assert_eq!(fields(&json!({})).integer("field"), Ok(None));
        assert_eq!(field(json!({})).integer("field"), Err(Unreadable { field: "field", expected: "a whole number" }));
    }

    #[test]
    fn a_phone_may_be_a_number() {
        assert_eq!(field(json!("+49 170 1234567")).text("field"), Ok(Some("+49 170 1234567".into())));
        assert_eq!(field(json!(491_701_234_567_i64)).text("field"), Ok(Some("491701234567".into())));
        assert_eq!(field(json!(null)).text("field"), Ok(None));
        assert!(field(json!(["a"])).text("field").is_err());
    }

    #[test]
    fn a_flag_may_be_a_text_or_a_number() {
        for (value, flag) in [(json!(true), true), (json!("False"), false), (json!(1), true), (json!("0"), false)] {
            assert_eq!(field(value).flag("field"), Ok(Some(flag)));
        }
        assert_eq!(field(json!(null)).flag("field"), Ok(None));
        assert!(field(json!("perhaps")).flag("field").is_err());
    }

    #[test]
    fn any_rfc_3339_time_is_read_and_a_broken_one_is_absent() {
        let time: Timestamp = "2019-04-04T04:45:15Z".parse().unwrap();
        for text in
            ["2019-04-04T04:45:15Z", "2019-04-04T04:45:15.000Z", "2019-04-04T10:15:15+05:30", "2019-04-04t04:45:15z"]
        {
            assert_eq!(field(json!(text)).time("field"), Some(time), "{text}");
        }
        for broken in [json!("yesterday"), json!("2019-04-31T00:00:00Z"), json!(1_554_353_115), json!(null), json!({})]
        {
            assert_eq!(field(broken.clone()).time("field"), None, "{broken}");
        }
    }

    #[test]
    fn a_time_of_datto_is_read_in_every_form() {
        let time: Timestamp = "2024-07-16T12:00:00Z".parse().unwrap();
        for value in [
            json!(1_721_131_200_000_i64),
            json!(1_721_131_200),
            json!(1_721_131_200.0),
            json!("1721131200000"),
            json!("2024-07-16T12:00:00Z"),
            json!("2024-07-16T14:00:00.000+02:00"),
        ] {
            assert_eq!(field(value.clone()).any_time("field"), Some(time), "{value}");
        }
        for none in [
            json!(null),
            json!(""),
            json!("yesterday"),
            json!(-62_135_596_800_000_i64),
            json!(-62_135_596_800_i64),
            json!(1e300),
            json!("NaN"),
            json!([1]),
        ] {
            assert_eq!(field(none.clone()).any_time("field"), None, "{none}");
        }
    }

    #[test]
    fn a_null_list_is_empty_and_a_wrong_one_is_an_error() {
        assert_eq!(field(json!(null)).integers("field"), Ok(vec![]));
        assert_eq!(fields(&json!({})).texts("field"), Ok(vec![]));
        assert_eq!(field(json!([1, "2", null])).integers("field"), Ok(vec![1, 2]));
        assert_eq!(field(json!(["a", 2, null])).texts("field"), Ok(vec!["a".into(), "2".into()]));
        assert!(field(json!([1, "x"])).integers("field").is_err());
        assert!(field(json!("1,2")).integers("field").is_err());
        assert!(field(json!([["a"]])).texts("field").is_err());
    }

    #[test]
    fn a_custom_field_has_one_canonical_text() {
        let mut record = fields(&json!({ "custom_fields": {
            "int": 123_456, "float": 123_456.0, "text": " 123456 ", "fraction": 1.5, "big": 39_000_380_032_123_457_i64,
            "flag": false, "null": null, "blank": "  ", "list": ["a"], "object": {}
        }}));
        let custom = record.custom_fields().unwrap();
        for name in ["int", "float", "text"] {
            assert_eq!(custom.text(name).as_deref(), Some("123456"), "{name}");
        }
        assert_eq!(custom.text("fraction").as_deref(), Some("1.5"));
        assert_eq!(custom.text("big").as_deref(), Some("39000380032123457"));
        assert_eq!(custom.text("flag").as_deref(), Some("false"));
        for name in ["null", "blank", "list", "object", "missing"] {
            assert_eq!(custom.text(name), None, "{name}");
        }
        assert_eq!(custom.get("list"), Some(&json!(["a"])));
    }

    #[test]
    fn two_readings_differ_in_meaning_and_not_in_form() {
        let read = |custom: Value| fields(&json!({ "custom_fields": custom })).custom_fields().unwrap();
        let before = read(json!({ "int": 12, "flag": true, "blank": " ", "list": ["a"], "text": "x" }));
        let form = json!({ "int": "12.0", "flag": "true", "null": null, "list": ["a"], "text": " x " });
        assert_eq!(before.differences(&read(form)), ["int"], "a text with a fraction is another text");
        let form = json!({ "int": 12.0, "flag": "true", "null": null, "list": ["a"], "text": " x " });
        assert_eq!(before.differences(&read(form)), <[&str; 0]>::default());
        let changed = before.with("int", 13).with("list", json!(["b"])).with("text", Value::Null).with("new", "y");
        assert_eq!(before.differences(&changed), ["int", "list", "new", "text"]);
    }

    #[test]
    fn custom_fields_may_be_null_or_missing() {
        for record in [json!({}), json!({ "custom_fields": null }), json!({ "custom_fields": {} })] {
            assert!(fields(&record).custom_fields().unwrap().is_empty(), "{record}");
        }
        assert!(fields(&json!({ "custom_fields": "none" })).custom_fields().is_err());
    }
}
