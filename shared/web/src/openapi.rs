//! What all operations of the OpenAPI document have in common.

use http::StatusCode;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr};

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
