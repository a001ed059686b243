//! The instance folder: what is made, by whom it can be read, and that it stays as it is.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use local_runner::{Instance, RunnerError, certificate};
use secrecy::ExposeSecret as _;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn prepare(directory: &Path) -> Result<Instance, RunnerError> {
    Instance::prepare(directory, [], start())
}

/// Every file and folder with its permissions, its time and its text.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, (u32, SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = path.metadata().unwrap();
        let bytes = if metadata.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        if metadata.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let mode = metadata.permissions().mode() & 0o777;
        found.insert(path, (mode, metadata.modified().unwrap(), bytes));
    }
    found
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_second_init_changes_nothing_that_the_first_one_made() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("instance");
    let first = prepare(&directory).unwrap();
    let before = snapshot(&directory);
    assert!(before.len() >= 10);

    let second = prepare(&directory).unwrap();
    second.tls(start()).unwrap();
    assert_eq!(snapshot(&directory), before);
    assert_eq!(first.keys[0].kid, second.keys[0].kid);
}

#[test]
fn only_the_owner_can_read_the_instance() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("instance");
    prepare(&directory).unwrap();
    for (path, (mode, _, _)) in snapshot(&directory) {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn a_folder_that_stood_open_is_closed_at_the_first_init() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    prepare(directory.path()).unwrap();
    assert_eq!(mode(directory.path()), 0o700);
    // Opened by a person on purpose: stays so.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o750)).unwrap();
    prepare(directory.path()).unwrap();
    assert_eq!(mode(directory.path()), 0o750);
}

#[test]
fn each_instance_has_a_password_a_key_and_an_authority_of_its_own() {
    let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (left, right) = (prepare(left.path()).unwrap(), prepare(right.path()).unwrap());
    let password =
        |instance: &Instance| instance.config.nexus_auth.password.clone().unwrap().expose_secret().to_owned();
    assert_eq!(password(&left).len(), 48);
    assert_ne!(password(&left), password(&right));
    assert_ne!(left.keys[0].kid, right.keys[0].kid);
    assert_eq!(left.keys[0].kid.len(), 16);
    assert_eq!(certificate::key_id(&left.keys[0].pem), Some(left.keys[0].kid.clone()));
    assert_ne!(fs::read(left.authority().unwrap()).unwrap(), fs::read(right.authority().unwrap()).unwrap());
}

#[test]
fn the_written_configuration_has_plans_features_and_no_vendor() {
    let directory = tempfile::tempdir().unwrap();
    let config = prepare(directory.path()).unwrap().config;
    assert!(config.plans.len() >= 3 && config.features.len() >= 3);
    assert!(!config.freshservice.is_configured() && !config.datto.is_configured());
    let text = fs::read_to_string(directory.path().join("nexus.conf")).unwrap();
    for section in ["nexus_auth", "freshservice", "datto", "database", "plans", "features"] {
        assert!(text.contains(&format!("[{section}]")), "{section}");
    }
}

#[test]
fn a_configuration_written_by_hand_keeps_its_lines_and_gets_the_missing_password() {
    let table = [
        ("[freshservice]\ndomain = acme\n", "[freshservice]\ndomain = acme\n\n[nexus_auth]\npassword = X\n"),
        (
            "[nexus_auth]\nusername = sync\n[plans]\npassword = 1\n",
            "[nexus_auth]\npassword = X\nusername = sync\n[plans]\npassword = 1\n",
        ),
        ("# mine\n[NEXUS_AUTH]\nPassword:\n# end", "# mine\n[NEXUS_AUTH]\npassword = X\n# end\n"),
    ];
    for (written, expected) in table {
        let directory = tempfile::tempdir().unwrap();
        let conf = directory.path().join("nexus.conf");
        fs::write(&conf, written).unwrap();
        let password = prepare(directory.path()).unwrap().config.nexus_auth.password.unwrap();
        let text = fs::read_to_string(&conf).unwrap();
        assert_eq!(text.replace(password.expose_secret(), "X"), expected);
    }
}

#[test]
fn a_password_from_the_environment_leaves_a_configuration_alone() {
    let directory = tempfile::tempdir().unwrap();
    let conf = directory.path().join("nexus.conf");
    fs::write(&conf, "[plans]\nA = 1\n").unwrap();
    let environment = [("NEXUS__NEXUS_AUTH__PASSWORD".to_owned(), "given".to_owned())];
    let instance = Instance::prepare(directory.path(), environment, start()).unwrap();
    assert_eq!(instance.config.nexus_auth.password.unwrap().expose_secret(), "given");
    assert_eq!(fs::read_to_string(&conf).unwrap(), "[plans]\nA = 1\n");
}

#[test]
fn a_mistake_in_the_configuration_is_told_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("nexus.conf"), "[nexus_auth]\npasword = x\n").unwrap();
    assert!(matches!(prepare(directory.path()), Err(RunnerError::Config(_))));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_database_file_is_found_from_the_instance_folder() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("50%? a #1");
    let url = |value: &str| {
        let environment = [("NEXUS_DATABASE_URL".to_owned(), value.to_owned())];
        let instance = Instance::prepare(&directory, environment, start()).unwrap();
        let folder = instance.directory.to_string_lossy().replace("50%? a #1", "50%25%3F a %231");
        instance.database_url().expose_secret().replace(&folder, "DIR")
    };
    assert_eq!(url(""), "sqlite://DIR/nexus.db");
    assert_eq!(url("sqlite://./other.db?mode=rwc"), "sqlite://DIR/other.db?mode=rwc");
    assert_eq!(url("sqlite:///srv/n.db"), "sqlite:///srv/n.db");
    assert_eq!(url("postgres://u:p@h/d"), "postgres://u:p@h/d");
}

#[test]
fn the_newest_key_signs_and_the_older_ones_stay() {
    let directory = tempfile::tempdir().unwrap();
    let first = prepare(directory.path()).unwrap().keys[0].kid.clone();
    let path = directory.path().join("keys/rotated.pem");
    fs::write(&path, certificate::new_key().unwrap().expose_secret()).unwrap();
    fs::File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000)).unwrap();
    let keys = prepare(directory.path()).unwrap().keys;
    assert_eq!(keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["rotated", &first]);
}

#[test]
fn a_damaged_signing_key_is_named() {
    let directory = tempfile::tempdir().unwrap();
    prepare(directory.path()).unwrap();
    fs::write(directory.path().join("keys/bad.pem"), "no key").unwrap();
    let error = prepare(directory.path()).unwrap_err();
    assert!(matches!(&error, RunnerError::SigningKey { path } if path.ends_with("keys/bad.pem")), "{error}");
}

#[test]
fn the_certificate_is_issued_again_in_its_last_thirty_days_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let instance = prepare(directory.path()).unwrap();
    let read = |name: &str| fs::read_to_string(instance.directory.join("certificates").join(name)).unwrap();
    let (certificate, key, authority) = (read("server.pem"), read("server-key.pem"), read("ca.pem"));
    let trusted = certificate::trust(&authority).unwrap();
    let valid = |certificate: &str, days: i32| certificate::verify(certificate, &trusted, start() + DAY * days).is_ok();
    assert!(valid(&certificate, 389) && !valid(&certificate, 396));

    instance.tls(start() + DAY * 300).unwrap();
    assert_eq!(read("server.pem"), certificate);

    for days in [365, 3_000] {
        instance.tls(start() + DAY * days).unwrap();
        let renewed = read("server.pem");
        assert_ne!(renewed, certificate);
        assert!(valid(&renewed, days + 380));
        // Clients that trust the authority notice nothing.
        assert_eq!((read("server-key.pem"), read("ca.pem")), (key.clone(), authority.clone()));
    }
}

#[test]
fn damaged_and_mismatched_certificates_are_told_by_their_file() {
    let other = tempfile::tempdir().unwrap();
    let other = prepare(other.path()).unwrap();
    let foreign = |name: &str| fs::read_to_string(other.directory.join("certificates").join(name)).unwrap();
    let own = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let table = [
        (own("server.pem", ""), "server.pem: the certificate is damaged"),
        (own("server.pem", "-----BEGIN CERTIFICATE-----\nAAAA"), "server.pem: the certificate is damaged"),
        (own("server.pem", damaged), "server.pem: the certificate is damaged"),
        (own("server.pem", &foreign("server.pem")), "server.pem: not issued by this instance's ca.pem"),
        (own("ca.pem", "damaged"), "ca.pem: the certificate is damaged"),
        (own("server-key.pem", "no key"), "server-key.pem: the private key is damaged"),
        (own("server-key.pem", &foreign("server-key.pem")), "server.pem: the private key does not belong"),
    ];
    for ((name, text), expected) in table {
        let directory = tempfile::tempdir().unwrap();
        let instance = prepare(directory.path()).unwrap();
        fs::write(directory.path().join("certificates").join(&name), &text).unwrap();
        let error = instance.tls(start()).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert_eq!(fs::read_to_string(directory.path().join("certificates").join(&name)).unwrap(), text);
    }
}

#[test]
fn a_configured_certificate_is_loaded_from_the_instance_folder() {
    let directory = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["nexus.example".to_owned()]).unwrap();
    fs::write(directory.path().join("own.pem"), own.cert.pem()).unwrap();
    fs::write(directory.path().join("own.key"), own.signing_key.serialize_pem()).unwrap();
    fs::write(directory.path().join("nexus.conf"), "[server]\ncertificate = own.pem\nprivate_key = own.key\n").unwrap();
    let instance = prepare(directory.path()).unwrap();
    instance.tls(start()).unwrap();
    assert_eq!(instance.authority(), None);

    fs::write(directory.path().join("own.pem"), "damaged").unwrap();
    let error = instance.tls(start()).unwrap_err().to_string();
    assert!(error.contains("own.pem: the certificate is damaged"), "{error}");
}
