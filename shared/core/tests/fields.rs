//! What each kind of field takes, in which form it keeps it, and how it refuses the rest.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]

use nexus_core::entity::{Entity, Kind};
use nexus_core::{Fields, fields};
use serde_json::{Map, Value, json};

fn parse(entity: Entity, field: &str, given: Value) -> Result<Value, String> {
    let body = Map::from_iter([(field.to_owned(), given)]);
    match fields::parse(entity, &body) {
        Ok(mut parsed) => Ok(parsed.remove(field).unwrap()),
        Err(errors) => {
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0].field, field);
            Err(errors[0].message.clone())
        }
    }
}

/// A field of each kind.
const KINDS: &[(Entity, &str)] = &[
    (Entity::Company, "name"),
    (Entity::Company, "account_number"),
    (Entity::Company, "freshservice_id"),
    (Entity::Company, "domains"),
    (Entity::Contact, "email"),
    (Entity::Contact, "active"),
    (Entity::Contact, "company_ids"),
    (Entity::Asset, "company_id"),
    (Entity::Asset, "last_seen"),
    (Entity::User, "role"),
    (Entity::Plan, "feature_values"),
    (Entity::Contact, "pinned_fields"),
];

#[test]
fn the_table_of_this_file_has_every_kind() {
    let told = |kind: &Kind| {
        KINDS.iter().any(|(entity, name)| {
            std::mem::discriminant(&entity.field(name).unwrap().kind) == std::mem::discriminant(kind)
        })
    };
    for field in Entity::ALL.iter().flat_map(|entity| entity.fields()) {
        assert!(told(&field.kind), "{} is of a kind without a test", field.name);
    }
}

#[test]
fn a_value_is_kept_in_one_form() {
    let table = [
        (Entity::Company, "name", json!("  Ackermann \n"), json!("Ackermann")),
        (Entity::Company, "name", json!("École 🦀 <b>"), json!("École 🦀 <b>")),
        (Entity::Company, "name", json!("  "), Value::Null),
        (Entity::Company, "name", json!("x".repeat(255)), json!("x".repeat(255))),
        (Entity::Company, "name", json!("é".repeat(255)), json!("é".repeat(255))),
        (Entity::Company, "address", json!("1 Mill\r\nTown\rLand\n\nEnd"), json!("1 Mill\nTown\nLand\n\nEnd")),
        (Entity::Company, "address", json!("a\tb"), json!("a\tb")),
        (Entity::Company, "account_number", json!(" 007 "), json!("007")),
        (Entity::Company, "account_number", json!("A-1_b.C"), json!("A-1_b.C")),
        (Entity::Company, "account_number", json!(""), Value::Null),
        (Entity::Company, "freshservice_id", json!(i64::MAX), json!(i64::MAX)),
        (Entity::Company, "freshservice_id", json!(i64::MIN), json!(i64::MIN)),
        (Entity::Plan, "feature_values", json!({"7": " x ", "8": null, "9": ""}), json!({"7": "x"})),
        (Entity::Contact, "pinned_fields", json!(["title", "name", "title"]), json!(["name", "title"])),
        (
            Entity::Company,
            "domains",
            json!([" a.example ", "", "a.example", "b.example"]),
            json!(["a.example", "b.example"]),
        ),
        (Entity::Company, "domains", json!("[\"a.example\"]"), json!(["a.example"])),
        (Entity::Company, "domains", json!(" "), json!([])),
        (Entity::Company, "domains", Value::Null, json!([])),
        (Entity::Contact, "email", json!(" Ada@One.example "), json!("Ada@One.example")),
        (Entity::Contact, "email", json!("o'neil+x@sub.example"), json!("o'neil+x@sub.example")),
        (Entity::Contact, "email", json!("\"a@b\"@c.example"), json!("\"a@b\"@c.example")),
        (Entity::Contact, "email", json!(""), Value::Null),
        (Entity::Contact, "active", json!(false), json!(false)),
        (Entity::Contact, "company_ids", json!([3, 1, 3]), json!([1, 3])),
        (Entity::Contact, "company_ids", Value::Null, json!([])),
        (Entity::Asset, "company_id", json!(7), json!(7)),
        (Entity::Asset, "company_id", Value::Null, Value::Null),
        (Entity::Asset, "last_seen", json!("2019-04-02 09:31:52"), json!("2019-04-02T09:31:52.000Z")),
        (Entity::Asset, "last_seen", json!("2026-02-03T19:05:39+05:30"), json!("2026-02-03T13:35:39.000Z")),
        (Entity::Asset, "last_seen", json!(" "), Value::Null),
        (Entity::User, "role", json!("billing"), json!("billing")),
    ];
    for (entity, field, given, kept) in table {
        assert_eq!(parse(entity, field, given.clone()), Ok(kept.clone()), "{field} {given}");
        // What is kept is in its one form already.
        assert_eq!(parse(entity, field, kept.clone()), Ok(kept), "{field} {given}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_in_words() {
    let (text, number) = ("must be text", "must be a whole number");
    let list = "must be a list of texts, or a text that holds such a list as JSON";
    let control = "must not hold control characters";
    let email = "must be an e-mail address such as ada@example.org";
    let account = "must be made of letters, digits, '-', '_' or '.'";
    let time = "must be a time such as 2026-02-03T19:05:39Z or 2026-02-03 19:05:39";
    let table = [
        (Entity::Company, "name", json!(5), text),
        (Entity::Company, "name", json!(["x"]), text),
        (Entity::Company, "name", json!("a\0b"), control),
        (Entity::Company, "name", json!("a\u{85}b"), control),
        (Entity::Company, "name", json!("x".repeat(256)), "must have at most 255 characters"),
        (Entity::Company, "address", json!("x".repeat(10_001)), "must have at most 10000 characters"),
        (Entity::Company, "account_number", json!(7), text),
        (Entity::Company, "account_number", json!("a b"), account),
        (Entity::Company, "account_number", json!("é"), account),
        (Entity::Company, "account_number", json!("../x"), account),
        (Entity::Company, "account_number", json!("x".repeat(33)), "must have at most 32 characters"),
        (Entity::Company, "account_number", json!("."), "must hold a letter or a digit"),
        (Entity::Company, "account_number", json!(".."), "must hold a letter or a digit"),
        (Entity::Company, "account_number", json!("New"), "must not be a word that stands in an address of Nexus"),
        (Entity::Company, "account_number", json!("bulk"), "must not be a word that stands in an address of Nexus"),
        (Entity::Company, "account_number", json!("Choices"), "must not be a word that stands in an address of Nexus"),
        (Entity::Company, "freshservice_id", json!("5"), number),
        (Entity::Company, "freshservice_id", json!(1.5), number),
        (Entity::Company, "freshservice_id", json!(u64::MAX), number),
        (Entity::Company, "domains", json!(5), list),
        (Entity::Company, "domains", json!("a.example, b.example"), list),
        (Entity::Company, "domains", json!("{}"), list),
        (Entity::Company, "domains", json!([5]), "each entry must be text"),
        (Entity::Company, "domains", json!([null]), "each entry must be text"),
        (Entity::Company, "domains", json!("[[\"x\"]]"), "each entry must be text"),
        (Entity::Company, "domains", json!(["a\0"]), "each entry must not hold control characters"),
        (Entity::Company, "domains", Value::from(vec!["x"; 201]), "must have at most 200 entries"),
        (Entity::Contact, "email", json!("ada"), email),
        (Entity::Contact, "email", json!("@x"), email),
        (Entity::Contact, "email", json!("ada@"), email),
        (Entity::Contact, "email", json!("ada@.x"), email),
        (Entity::Contact, "email", json!("ada@x."), email),
        (Entity::Contact, "email", json!("a da@x"), email),
        (Entity::Contact, "email", json!(true), text),
        (Entity::Contact, "active", json!("true"), "must be true or false"),
        (Entity::Contact, "active", json!(1), "must be true or false"),
        (Entity::Contact, "company_ids", json!(["1"]), "must be a list of ids"),
        (Entity::Contact, "company_ids", json!(1), "must be a list of ids"),
        (Entity::Plan, "feature_values", json!(["x"]), "must be an object of texts by id"),
        (Entity::Plan, "feature_values", json!({"backup": "x"}), "must be an object of texts by id"),
        (Entity::Plan, "feature_values", json!({"1": 5}), "each text must be text"),
        (Entity::Contact, "pinned_fields", json!("name"), "must be a list of names of fields"),
        (Entity::Asset, "company_id", json!("1"), number),
        (Entity::Asset, "last_seen", json!("yesterday"), time),
        (Entity::Asset, "last_seen", json!(1_700_000_000), "must be a time as text"),
        (Entity::User, "role", json!("root"), "must be one of admin technician client billing"),
        (Entity::User, "role", json!("Admin"), "must be one of admin technician client billing"),
        (Entity::User, "role", json!(1), "must be one of admin technician client billing"),
    ];
    for (entity, field, given, message) in table {
        assert_eq!(parse(entity, field, given.clone()), Err(message.to_owned()), "{field} {given}");
    }
}

#[test]
fn every_field_takes_null_for_no_value() {
    for entity in Entity::ALL {
        for field in entity.fields() {
            let kept = parse(entity, field.name, Value::Null).unwrap();
            let empty = match field.kind {
                Kind::TextList | Kind::Links(_) | Kind::Pins => json!([]),
                Kind::Values(_) => json!({}),
                _ => Value::Null,
            };
            assert_eq!(kept, empty, "{}", field.name);
        }
    }
}

#[test]
fn unknown_keys_are_refused_together_with_all_other_faults() {
    let body = json!({"name": 5, "Name": "x", "id": 7, "domains": "x", "head_name": "fine"});
    let errors = fields::parse(Entity::Company, body.as_object().unwrap()).unwrap_err();
    let mut blamed: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    blamed.sort_unstable();
    assert_eq!(blamed, ["Name", "domains", "id", "name"]);
    assert!(errors.iter().any(|error| error.message == "company has no field \"Name\""));
}

#[test]
fn a_new_record_has_every_field_and_its_defaults() {
    let mut given: Fields = Map::from_iter([("name".into(), json!("Ada")), ("title".into(), json!("CTO"))]);
    fields::complete(Entity::Contact, &mut given).unwrap();
    assert_eq!(given.len(), Entity::Contact.fields().len());
    assert_eq!(
        (&given["title"], &given["active"], &given["employment_type"]),
        (&json!("CTO"), &json!(true), &json!("Full Time"))
    );
    assert_eq!(
        (&given["secondary_emails"], &given["company_ids"], &given["email"]),
        (&json!([]), &json!([]), &Value::Null)
    );
}

#[test]
fn a_new_record_without_its_required_fields_is_refused() {
    let errors = fields::complete(Entity::Company, &mut Fields::new()).unwrap_err();
    let blamed: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(blamed, ["account_number", "name"]);
}

#[test]
fn an_update_may_leave_required_fields_out_but_not_empty_them() {
    assert_eq!(fields::require(Entity::Company, &Fields::new()), Ok(()));
    let emptied = Map::from_iter([("name".to_owned(), Value::Null)]);
    assert_eq!(fields::require(Entity::Company, &emptied).unwrap_err()[0].field, "name");
}
