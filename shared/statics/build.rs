//! Brings together the files that pages load: our own of `templates/static`, Tabler's sheet and icons and htmx from npm, and
//! Swagger UI out of its archive. Each is compressed as it will be sent and named by its content, so that a browser may keep
//! it for ever.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use npm_rs::NpmEnv;
use sha2::{Digest as _, Sha256};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Our own files, in `templates/static`.
const OWN: &[&str] = &["docs.css", "docs.js", "icon.svg", "nexus.css", "nexus.js"];
/// What is taken of Swagger UI: without the bar on top, the maps, and the parts that the bundle holds already.
const SWAGGER: &[&str] = &["swagger-ui-bundle.js", "swagger-ui.css"];
const NO_NODE: &str = "the pages' style sheet and scripts come from npm: install Node.js 20 or later with npm, so that \
                       `npm --version` answers, and build again";

fn main() -> Result<()> {
    let statics = Path::new("../../templates/static");
    for path in ["build.rs", "package.json", "package-lock.json", ".npmrc", "../../templates/static"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let mut files = Files { out: out("")?, table: Vec::new() };
    for name in OWN {
        files.add(name, &fs::read(statics.join(name))?)?;
    }
    let modules = modules()?;
    let sheet = fs::read_to_string(modules.join("@tabler/core/dist/css/tabler.min.css"))?;
    let sheet = without_drawings(&sheet, &mut files)?;
    files.add("tabler.css", sheet.as_bytes())?;
    files.add("htmx.js", &fs::read(modules.join("htmx.org/dist/htmx.min.js"))?)?;
    let wanted = fs::read_to_string(statics.join("icons.txt"))?;
    files.add("icons.svg", sprite(&modules.join("@tabler/icons/icons/outline"), &wanted)?.as_bytes())?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let first = archive.file_names().next().ok_or("the archive is empty")??.into_owned();
    let folder = first.split('/').next().unwrap_or_default();
    for name in SWAGGER {
        let mut content = Vec::new();
        archive.by_name(&format!("{folder}/dist/{name}"))?.read_to_end(&mut content)?;
        files.add(name, &content)?;
    }
    let version = folder.strip_prefix("swagger-ui-").ok_or("the archive's folder names no version")?;
    files.write(version)
}

fn out(name: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?).join(name))
}

/// The packages of the lockfile, installed in the build's own folder.
fn modules() -> Result<PathBuf> {
    let home = out("npm")?;
    let lock = fs::read("package-lock.json")?;
    if fs::read(home.join("installed")).is_ok_and(|installed| installed == lock) {
        return Ok(home.join("node_modules"));
    }
    fs::create_dir_all(&home)?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(name, home.join(name))?;
    }
    let quiet = &["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let npm = |command, args| NpmEnv::default().set_path(&home).init_env().custom(command, args).exec();
    if !npm("--version", None)?.success() {
        return Err(NO_NODE.into());
    }
    if !npm("ci", Some(quiet))?.success() {
        return Err("`npm ci` failed; what it said stands above".into());
    }
    fs::write(home.join("installed"), lock)?;
    Ok(home.join("node_modules"))
}

/// A sheet whose drawings are files of their own: the policy of our pages allows no `data:`.
fn without_drawings(sheet: &str, files: &mut Files) -> Result<String> {
    const BEGIN: &str = "url(\"data:image/svg+xml,";
    let mut parts = sheet.split(BEGIN);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (drawing, rest) = part.split_once("\")").ok_or("a drawing in the sheet does not end")?;
        let address = files.add("drawing.svg", unescaped(drawing).as_bytes())?;
        write!(made, "url(\"{address}\"){rest}")?;
    }
    if made.contains("url(\"data:") || made.contains("url(\"http") {
        return Err("the sheet holds an address that the pages' policy forbids".into());
    }
    Ok(made)
}

/// The text of a URL in which some characters are `%` and two digits.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte.into());
                plain.push_str(&part[2..]);
            }
            None => drop(write!(plain, "%{part}")),
        }
    }
    plain
}

/// One drawing with a symbol for each icon of a list, a name on each line.
fn sprite(folder: &Path, wanted: &str) -> Result<String> {
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">");
    for name in wanted.lines() {
        let icon = fs::read_to_string(folder.join(format!("{name}.svg")))
            .map_err(|error| format!("icons.txt names {name}, which Tabler does not have: {error}"))?;
        let inside = icon.split_once('>').map(|(_, rest)| rest.trim_end().trim_end_matches("</svg>").trim());
        let inside = inside.ok_or("an icon is no drawing")?.replace("\n  ", "");
        write!(sprite, "<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{inside}</symbol>")?;
    }
    sprite.push_str("</svg>");
    Ok(sprite)
}

/// The table of files under construction.
struct Files {
    out: PathBuf,
    /// Name as pages know it, and name as it is served.
    table: Vec<(String, String)>,
}

impl Files {
    /// Compresses a file and gives the name under which it is served.
    fn add(&mut self, name: &str, content: &[u8]) -> Result<String> {
        let (stem, extension) = name.rsplit_once('.').ok_or("a file without an extension")?;
        let hash = Sha256::digest(content).iter().take(6).fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
        let served = format!("{stem}-{hash}.{extension}");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content)?;
        fs::write(self.out.join(format!("{served}.gz")), encoder.finish()?)?;
        if !self.table.iter().any(|(_, known)| *known == served) {
            self.table.push((name.to_owned(), served.clone()));
        }
        Ok(served)
    }

    /// Writes what `src/lib.rs` includes.
    fn write(mut self, swagger: &str) -> Result<()> {
        self.table.sort_by(|a, b| a.1.cmp(&b.1));
        let mut code = String::from("/// Every file, by name.\npub static FILES: &[File] = &[\n");
        for (name, served) in &self.table {
            let kind = match name.rsplit('.').next() {
                Some("css") => "text/css; charset=utf-8",
                Some("js") => "text/javascript; charset=utf-8",
                _ => "image/svg+xml",
            };
            writeln!(
                code,
                "File {{ name: {served:?}, kind: {kind:?}, gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{served}.gz\")) }},"
            )?;
        }
        code.push_str("];\n");
        for (name, served) in self.table.iter().filter(|(name, _)| name != "drawing.svg") {
            let constant = name.to_uppercase().replace(['.', '-'], "_");
            writeln!(code, "/// Address of `{name}`.\npub const {constant}: &str = \"/static/{served}\";")?;
        }
        writeln!(code, "/// Version of Swagger UI.\npub const SWAGGER_UI_VERSION: &str = {swagger:?};")?;
        Ok(fs::write(self.out.join("files.rs"), code)?)
    }
}
