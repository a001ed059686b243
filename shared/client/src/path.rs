//! The parts of an address that a caller names.

use url::form_urlencoded::{Serializer, byte_serialize};

/// A caller's text as one part of a path, whatever is in it.
pub(crate) fn segment(text: &str) -> String {
    match text {
        // These would lead to another path. With a blank in front, which nothing is named with, they lead nowhere.
        "" | "." | ".." => format!("%20{text}"),
        _ => byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20"),
    }
}

/// A query of these pairs, without the question mark.
pub(crate) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_name_never_leaves_its_place_in_the_path() {
        for text in ["102030", "a/b", "../x", ".", "..", "", "a b+c", "%2e%2e", "?a=b", "#x", "ü", "a\\b", "\n"] {
            let url = Url::parse(&format!("http://nexus/api/companies/{}/restore", segment(text))).unwrap();
            let parts: Vec<&str> = url.path_segments().unwrap().collect();
            assert!(matches!(parts[..], ["api", "companies", _, "restore"]), "{text:?}: {url}");
            assert_eq!((url.query(), url.fragment()), (None, None), "{text:?}");
        }
        assert_eq!(segment("00-7_a.b"), "00-7_a.b");
    }
}
