//! What all operations of the OpenAPI document have in common.

use http::StatusCode;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, path::PathItem};
use utoipa::openapi::{ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type};

/// Tells the headers that operations take alike: versions where a version can be out of date, and `Idempotency-Key` on
/// every POST of a caller that is known.
pub fn tell_headers(document: &mut OpenApi) {
    let items = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/"));
    for (_, item) in items {
        let PathItem { get, put, post, delete, .. } = item;
        for operation in [get, put, delete].into_iter().flatten() {
            let answers = &operation.responses.responses;
            let (not_modified, stale) = (answers.contains_key("304"), answers.contains_key("412"));
            if not_modified {
                add(
                    operation,
                    header(
                        "If-None-Match",
                        "The `ETag` of what the caller has; while it is still so, the answer is 304",
                    ),
                );
            }
            if stale {
                let told =
                    "The `ETag` of the version that the caller saw; when the record has moved since, the answer is 412";
                add(operation, header("If-Match", told));
            }
        }
        if let Some(operation) = post.as_mut().filter(|operation| operation.security.is_none()) {
            let told = "1 to 255 characters of the caller's choice: the same key and body are carried out once, and answered \
                        alike, for 24 hours";
            add(operation, header("Idempotency-Key", told));
            add_problem(
                operation,
                "409",
                "A request with this `Idempotency-Key` is being carried out, or its answer was lost",
            );
            add_problem(operation, "422", "The `Idempotency-Key` was used for another request");
        }
    }
}

fn header(name: &str, told: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(told))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

fn add(operation: &mut Operation, parameter: Parameter) {
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

/// Adds an answer that is a problem, unless the operation has one of this status.
fn add_problem(operation: &mut Operation, status: &str, told: &str) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let answer = ResponseBuilder::new().description(told).content("application/problem+json", problem);
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(answer.build()));
}

/// Tells the errors that every operation under `/api` can end with: of its body, of its parameters, of Nexus itself.
pub fn tell_usual_errors(document: &mut OpenApi) {
    let is_of_the_store = |path: &str| path.starts_with("/api/") && !["/api/docs", "/api/openapi.json"].contains(&path);
    let items = document.paths.paths.iter_mut().filter(|(path, _)| is_of_the_store(path));
    for (_, PathItem { get, put, post, delete, .. }) in items {
        for operation in [get, put, post, delete].into_iter().flatten() {
            let asks = operation.parameters.iter().flatten().any(|one| match one {
                RefOr::T(one) => one.parameter_in == ParameterIn::Query,
                RefOr::Ref(_) => false,
            });
            if operation.request_body.is_some() {
                add_problem(operation, "413", "The body is too large");
                add_problem(operation, "415", "The body is not `application/json`");
            }
            if operation.request_body.is_some() || asks {
                add_problem(operation, "400", "");
            }
            add_problem(operation, "500", "Something went wrong; `request_id` names it for whoever runs this Nexus");
            add_problem(operation, "503", "Nexus cannot answer right now; `Retry-After` says when to try again");
        }
    }
}

/// Tells every error under `/api` as the problem that it is, whichever handler it is of; those without words of their
/// own get the usual ones.
pub fn tell_errors(document: &mut OpenApi) {
    let items = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/"));
    for (_, item) in items {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        operations.into_iter().flatten().for_each(tell);
    }
}

fn tell(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(answer) = answer else { continue };
        let Some(status) = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok()) else { continue };
        if status.as_u16() < 400 {
            continue;
        }
        if answer.description.is_empty() {
            let told = match status {
                StatusCode::BAD_REQUEST => "The request is not understood; `errors` names what is wrong",
                StatusCode::UNAUTHORIZED => {
                    "Token is missing, is invalid or has expired; User not found; Invalid API Key"
                }
                StatusCode::FORBIDDEN => "Insufficient permissions",
                other => other.canonical_reason().unwrap_or("An error"),
            };
            told.clone_into(&mut answer.description);
        }
        if let Some(problem) = answer.content.swap_remove("application/json") {
            answer.content.insert("application/problem+json".to_owned(), problem);
        }
    }
}
