//! The OpenAPI document tells what the routers do.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeSet;

use nexus_core::entity::TIED_SITES;
use nexus_test_databases::both;
use nexus_tests::{Nexus, send};
use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(local_runner::mount::openapi()).unwrap()
}

/// Path, method and operation of every line of the document.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods
                .filter(|(method, _)| ["get", "post", "put", "delete", "patch"].contains(&method.as_str()))
                .map(move |(method, operation)| (path.clone(), method.to_uppercase(), operation))
        })
        .collect()
}

fn is_public(operation: &Value) -> bool {
    operation["security"] == serde_json::json!([{}])
}

#[test]
fn the_document_in_the_repository_is_the_one_of_the_routers() {
    let kept = include_str!("../../../functions/home/openapi.json");
    let made = local_runner::mount::openapi().to_pretty_json().unwrap();
    assert!(
        kept.trim() == made.trim(),
        "functions/home/openapi.json is old: run `cargo run -- openapi > functions/home/openapi.json`"
    );
}

#[test]
fn every_operation_tells_what_becomes_of_a_caller_without_a_token() {
    let document = document();
    let public: BTreeSet<_> = operations(&document)
        .iter()
        .filter(|(_, _, operation)| is_public(operation))
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect();
    let expected =
        ["GET /.well-known/jwks.json", "GET /api/docs", "GET /api/openapi.json", "GET /healthz", "POST /api/token"];
    assert_eq!(public.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    for (path, method, operation) in operations(&document) {
        assert!(is_public(operation) || operation["responses"]["401"].is_object(), "{method} {path} has no 401");
    }
}

#[test]
fn every_answer_is_described_and_every_error_is_a_problem() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path} has no summary");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let told = format!("{method} {path} {status}");
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{told} is not described");
            if status.parse::<u16>().is_ok_and(|status| status >= 400) && path.starts_with("/api/") {
                let kinds: Vec<_> = answer["content"].as_object().unwrap().keys().collect();
                assert_eq!(kinds, ["application/problem+json"], "{told}");
            }
        }
    }
}

#[test]
fn the_headers_that_an_operation_takes_are_told() {
    let document = document();
    for (path, method, operation) in operations(&document).into_iter().filter(|(path, ..)| path.starts_with("/api/")) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let told: BTreeSet<_> =
            parameters.filter(|one| one["in"] == "header").map(|one| one["name"].as_str().unwrap()).collect();
        let mut expected = BTreeSet::new();
        if method == "POST" && !is_public(operation) {
            expected.insert("Idempotency-Key");
        }
        if operation["responses"]["304"].is_object() {
            expected.insert("If-None-Match");
        }
        if operation["responses"]["412"].is_object() {
            expected.insert("If-Match");
        }
        assert_eq!(told, expected, "{method} {path}");
        let has_no_version = ["/keys/", "/sync/", "/jobs/", "/sources/"].iter().any(|part| path.contains(part));
        let is_record = path.ends_with('}') && !has_no_version;
        if is_record && ["PUT", "DELETE"].contains(&method.as_str()) {
            assert!(told.contains("If-Match"), "{method} {path} does not say what becomes of an old version");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn follow(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|member| follow(member, document));
            }
            Value::Array(items) => items.iter().for_each(|item| follow(item, document)),
            _ => {}
        }
    }
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    follow(&document, &document);
}

#[test]
fn no_operation_names_a_parameter_twice() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names: Vec<_> = parameters.map(|one| (one["in"].to_string(), one["name"].to_string())).collect();
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), distinct.len(), "{method} {path}: {names:?}");
    }
}

/// The members of a schema and which of them must be there, those of its parts included.
fn gather(schema: &Value, document: &Value, members: &mut BTreeSet<String>, required: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        gather(document.pointer(&reference[1..]).unwrap(), document, members, required);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        gather(part, document, members, required);
    }
    members.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    required.extend(schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()));
}

#[test]
fn what_a_caller_sends_is_told_apart_from_what_it_gets() {
    let document = document();
    for (path, method, schema, required) in [
        ("/api/companies", "post", "NewCompany", &["name", "account_number"][..]),
        ("/api/companies/{account_number}", "put", "CompanyChanges", &[]),
        ("/api/contacts", "post", "NewContact", &["name", "email"]),
        ("/api/contacts/{id}", "put", "ContactChanges", &[]),
    ] {
        let body = &document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(*body, format!("#/components/schemas/{schema}"), "{method} {path}");
        let (mut members, mut told) = (BTreeSet::new(), BTreeSet::new());
        gather(&document["components"]["schemas"][schema], &document, &mut members, &mut told);
        assert_eq!(told, required.iter().map(ToString::to_string).collect(), "{method} {path}");
        let entity = if path.contains("companies") { nexus_core::Entity::Company } else { nexus_core::Entity::Contact };
        // A site is tied by a call of its own.
        let sent = |field: &&nexus_core::entity::Field| field.is_column() && field.name != TIED_SITES;
        for field in entity.fields().iter().filter(sent) {
            assert!(members.contains(field.name), "{method} {path}: {}", field.name);
        }
        assert!(!members.contains("version"), "{method} {path}: a version is not sent");
    }
}

both! {
    async fn the_document_is_served_to_anyone(world: World) {
        let nexus = Nexus::serve(world).await;
        let answer = nexus.nobody().get("/api/openapi.json").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.json(), document());
        nexus.stop().await;
    }

    async fn every_path_of_the_document_is_there_and_asks_for_a_token(world: World) {
        let nexus = Nexus::serve(world).await;
        let nobody = nexus.nobody();
        let document = document();
        for (path, method, operation) in operations(&document) {
            let path = nexus_tests::with_parameters(&path, "1");
            let answer = send(nobody.request(method.parse().unwrap(), &path)).await;
            if is_public(operation) {
                assert!(![401, 404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.status);
            } else {
                answer.refused(401, "Token is missing");
            }
        }
        nexus.stop().await;
    }
}
