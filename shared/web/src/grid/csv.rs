//! The list as CSV (RFC 4180): the columns, the filters and the order of the page, and every record.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use nexus_db::Db;

use super::Grid;
use super::rows;
use super::view::{Pairs, View};
use crate::auth::Visitor;
use crate::error::Error;

/// The list as a file.
///
/// # Errors
/// When the visitor may not see it, and when the store fails.
pub(super) async fn csv(grid: &'static Grid, db: &Db, visitor: &Visitor, pairs: &Pairs) -> Result<Response, Error> {
    let scope = visitor.person_with(grid.readers)?.scope();
    let view = View::read(grid, pairs);
    let parts = view.list(db, &scope)?.parts(db).await?;
    let head = line(view.columns.iter().map(|column| column.label.into()))?;
    let lines = stream::try_unfold((parts, view, Some(head)), async |(mut parts, view, head)| {
        if let Some(head) = head {
            return Ok::<_, Error>(Some((Bytes::from(head), (parts, view, None))));
        }
        let Some(json) = parts.next().await? else { return Ok(None) };
        let rows = rows::read(view.grid, &view.columns, &json)?;
        let mut text = Vec::new();
        for row in &rows {
            text.extend(line(row.cells.iter().map(|cell| harmless(&cell.text())))?);
        }
        Ok(Some((Bytes::from(text), (parts, view, None))))
    });
    let name = format!("attachment; filename=\"{}.csv\"", grid.many);
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn line(cells: impl Iterator<Item = String>) -> Result<Vec<u8>, Error> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.map(String::into_bytes)).map_err(failed)?;
    writer.into_inner().map_err(|error| failed(error.into_error().into()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err needs")]
fn failed(error: ::csv::Error) -> Error {
    tracing::error!(%error, "a line of CSV cannot be written");
    Error::Internal
}

/// A value that a spreadsheet does not take for a formula, nor any part of it: one that separates by `;` begins a cell after each,
/// and after each line break, whatever the quotes say.
fn harmless(text: &str) -> String {
    text.split_inclusive([';', '\n']).map(harmless_part).collect()
}

/// The same of a part. A telephone number stays as it is.
fn harmless_part(text: &str) -> String {
    let is_number = text.chars().skip(1).all(|c| c.is_ascii_digit() || " -./()x;\n".contains(c));
    match text.chars().next() {
        Some('=' | '@' | '\t' | '\r') => format!("'{text}"),
        Some('+' | '-') if !is_number => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{harmless, line};

    #[test]
    fn no_value_is_a_formula_and_no_number_is_changed() {
        for (given, expected) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+49 (30) 123-45", "+49 (30) 123-45"),
            ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("a;=1+1;b; c\n@d\ne", "a;'=1+1;b; c\n'@d\ne"),
            ("+49 30 1; +49 30 2;-3;\n+4", "+49 30 1; +49 30 2;-3;\n+4"),
            ("Ackermann", "Ackermann"),
        ] {
            assert_eq!(harmless(given), expected);
        }
    }

    #[test]
    fn a_line_is_quoted_where_it_must_be() {
        let text = line(["a,b", "say \"hi\"", "two\nlines", ""].into_iter().map(str::to_owned)).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n");
    }
}
