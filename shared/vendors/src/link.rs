//! The `Link` header (RFC 8288), as far as paging needs it.

/// The target of the first link whose relation types include `next`, in the text of one or more `Link` headers.
///
/// `Ok(None)` means that the header was understood and has no next link; a header that cannot be read is an error,
/// because taking it for the end of the list would make the rest look deleted.
pub(crate) fn next_target(header: &str) -> Result<Option<String>, BadLink> {
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    let mut next = None;
    while !rest.is_empty() {
        let (target, parameters) = rest.strip_prefix('<').and_then(|r| r.split_once('>')).ok_or(BadLink)?;
        let (is_next, after) = read_parameters(parameters)?;
        if is_next && next.is_none() {
            next = Some(target.trim().to_owned());
        }
        rest = after.trim_start_matches([' ', '\t', ',']);
    }
    Ok(next)
}

/// A `Link` header that does not follow the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLink;

/// Reads `; name=value` as often as it stands there; returns whether `rel` names `next`, and what follows.
fn read_parameters(text: &str) -> Result<(bool, &str), BadLink> {
    let mut rest = text.trim_start();
    let mut relation = None;
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start();
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let name = after[..end].trim();
        let (value, after) = match after[end..].strip_prefix('=') {
            Some(value) => read_value(value.trim_start())?,
            None => (String::new(), &after[end..]),
        };
        // Later occurrences of `rel` do not count (RFC 8288, section 3.3).
        if name.eq_ignore_ascii_case("rel") && relation.is_none() {
            relation = Some(value);
        }
        rest = after.trim_start();
    }
    if !(rest.is_empty() || rest.starts_with(',')) {
        return Err(BadLink);
    }
    let is_next = relation.is_some_and(|r| r.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next")));
    Ok((is_next, rest))
}

/// A token or a quoted text, and what follows it.
fn read_value(text: &str) -> Result<(String, &str), BadLink> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return Ok((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next().ok_or(BadLink)?.1),
            other => value.push(other),
        }
    }
    Err(BadLink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_in_every_spelling() {
        let url = "https://acme.freshservice.com/api/v2/departments?page=2&per_page=100";
        for header in [
            format!(r#"<{url}>; rel="next""#),
            format!("<{url}>;rel=next"),
            format!(r#"<{url}>; REL="NEXT""#),
            format!(r#"<{url}>; title="a, b; rel=\"prev\""; rel="next""#),
            format!(r#"<{url}> ; rel = "last next" ; type=text"#),
            format!(r#"<https://x.example/1>; rel="prev", <{url}>; rel="next", <https://x.example/9>; rel="last""#),
            format!("<https://x.example/a,b;c>; rel=prev,<{url}>; flag; rel=next"),
            format!(r#", <{url}>; rel="next", <https://x.example/3>; rel="next""#),
        ] {
            assert_eq!(next_target(&header).unwrap().as_deref(), Some(url), "{header}");
        }
    }

    #[test]
    fn a_header_without_a_next_link_is_the_end() {
        for header in [
            "",
            "  ",
            "<https://x.example>",
            r#"<https://x.example>; rel="prev""#,
            "<https://x.example>; rel=prev; rel=next",
            r#"<https://x.example>; rel="nextish""#,
        ] {
            assert_eq!(next_target(header), Ok(None), "{header}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_not_taken_for_the_end() {
        for header in [
            "https://x.example; rel=next",
            "<https://x.example; rel=next",
            r#"<https://x.example>; rel="next"#,
            r#"<https://x.example>; rel="next\"#,
            r#"<https://x.example> rel="next""#,
            "<a>; rel=next, garbage",
        ] {
            assert_eq!(next_target(header), Err(BadLink), "{header}");
        }
    }
}
