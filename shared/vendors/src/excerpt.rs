//! A few words of foreign text that can be logged and shown.

/// Characters that an excerpt has at most, without the mark of a cut.
const LENGTH: usize = 200;

/// `text` on one line: control and invisible characters become spaces, runs of blanks become one.
pub(crate) fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if is_invisible(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first 200 characters of a text that is already on one line.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Besides controls: zero-width and direction marks, with which a body could disguise what a page or a log shows.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_taken_out() {
        assert_eq!(one_line("a\r\n\u{1b}[31mb\u{0}\u{202e}c\t d"), "a [31mb c d");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut(&"ü".repeat(200)), "ü".repeat(200));
        assert_eq!(cut(&"ü".repeat(5000)), format!("{}…", "ü".repeat(200)));
    }
}
