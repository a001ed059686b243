//! Takes out of the archive of Swagger UI what the page `/api/docs` loads, and compresses it as it will be sent: the
//! binary holds these bytes and nothing else of it.

use std::error::Error;
use std::io::{Cursor, Read as _, Write as _};
use std::path::PathBuf;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// What is taken: without the bar on top, the maps, and the parts that the bundle holds already.
const FILES: &[&str] = &["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let first = archive.file_names().next().ok_or("the archive is empty")??.into_owned();
    let folder = first.split('/').next().unwrap_or_default();
    let version = folder.strip_prefix("swagger-ui-").ok_or("the archive's folder names no version")?;
    println!("cargo::rustc-env=SWAGGER_UI_VERSION={version}");
    for name in FILES {
        let mut content = Vec::new();
        archive.by_name(&format!("{folder}/dist/{name}"))?.read_to_end(&mut content)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&content)?;
        fs::write(out.join(format!("{name}.gz")), encoder.finish()?)?;
    }
    Ok(())
}
