//! The files that pages load. `build.rs` finds them, compresses them and names them by their content: under one name
//! there is never anything else, so a browser may keep them for ever.
//!
//! What does not belong here: how they are sent (`home`), and what only one page's record decides.

/// A file.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its name under `/static/`.
    pub name: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Its content, compressed (RFC 1952).
    pub gzip: &'static [u8],
}

/// The file of that name.
#[must_use]
pub fn file(name: &str) -> Option<&'static File> {
    FILES.binary_search_by(|file| file.name.cmp(name)).ok().map(|at| &FILES[at])
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::{fs, io};

    use super::{FILES, file};

    #[test]
    fn every_file_is_found_by_its_name_and_no_other_is() {
        for one in FILES {
            assert!(std::ptr::eq(file(one.name).unwrap(), one), "{}", one.name);
        }
        assert!(file("none.css").is_none());
    }

    #[test]
    fn pages_are_light() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/static/nexus.js");
        let lines = fs::read_to_string(script).unwrap().lines().count();
        assert!(lines <= 300, "nexus.js has {lines} lines");
        // What the page of the API alone loads is not among what a first visit loads.
        let loaded =
            FILES.iter().filter(|file| !file.name.starts_with("swagger-ui") && !file.name.starts_with("docs-"));
        let bytes: usize = loaded.map(|file| file.gzip.len()).sum();
        assert!((50_000..=200_000).contains(&bytes), "a first visit loads {bytes} bytes");
    }

    fn templates(folder: &Path, texts: &mut String) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                templates(&path, texts)?;
            } else if path.extension().is_some_and(|extension| extension == "html") {
                texts.push_str(&fs::read_to_string(path)?);
            }
        }
        Ok(())
    }

    /// Templates draw an icon by `call …icon("name")`, or by a table that begins a line with `{# icons: … #}`.
    #[test]
    fn the_sprite_holds_the_icons_that_templates_draw_and_no_other() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
        let mut texts = String::new();
        templates(&root, &mut texts).unwrap();
        let called = texts.split("icon(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let told = texts.split("{# icons: ").skip(1).filter_map(|rest| rest.split(" #}").next());
        let drawn: BTreeSet<_> = called.chain(told.flat_map(str::split_whitespace)).collect();
        let list = fs::read_to_string(root.join("static/icons.txt")).unwrap();
        assert_eq!(list.lines().collect::<BTreeSet<_>>(), drawn);
    }
}
