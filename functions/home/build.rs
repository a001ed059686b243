//! The document without the line breaks and indents that show people what has changed: half of its bytes, which every copy of the
//! function would carry.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=openapi.json");
    let folder = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    fs::write(Path::new(&folder).join("openapi.json"), compact(&fs::read_to_string("openapi.json")?))?;
    Ok(())
}

/// JSON without the blanks between its parts.
fn compact(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let is_part = |letter: &char| {
        let kept = in_text || !letter.is_ascii_whitespace();
        (in_text, escaped) = match letter {
            '"' if !escaped => (!in_text, false),
            '\\' => (in_text, !escaped),
            _ => (in_text, false),
        };
        kept
    };
    json.chars().filter(is_part).collect()
}
