use secrecy::ExposeSecret as _;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, [])
}

fn overlaid(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::parse(text, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn exposed(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(SecretString::expose_secret)
}

#[test]
fn without_a_file_every_value_has_its_default_and_no_vendor_is_used() {
    let config = parse("").unwrap();
    assert_eq!(config.nexus_auth.username, "nexus-jobs");
    assert_eq!(config.nexus_auth.token_hours, 24);
    assert!(config.nexus_auth.password.is_none());
    assert!(!config.freshservice.is_configured() && !config.datto.is_configured());
    assert_eq!((config.freshservice.requests_per_minute, config.datto.requests_per_minute), (100, 500));
    assert!(config.database.url.is_none());
    assert_eq!(config.server.max_body_bytes, 1_048_576);
    assert!(config.plans.is_empty() && config.features.is_empty());
}

#[test]
fn a_secret_arrives_as_it_was_typed() {
    for typed in
        ["100%(sure)s", r"back\slash\n", r"ends in \", "a;b#c", r#""quoted" 'too'"#, "x=y:z", "ends in ==", "ключ"]
    {
        let text = format!("[nexus_auth]\npassword = {typed}\nusername = next\n");
        for text in [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
            let config = parse(&text).unwrap();
            assert_eq!(exposed(config.nexus_auth.password.as_ref()), Some(typed));
            assert_eq!(config.nexus_auth.username, "next");
        }
    }
}

#[test]
fn the_file_of_the_first_nexus_is_understood() {
    let text = "\
; written by hand
[nexus_auth]
username: sync
PASSWORD: secret
[freshservice]
api_key = abc
domain = acme
[datto]
api_endpoint = https://pinotage-api.centrastage.net/
public_key = p
secret_key = s
requests_per_minute = 0
[plans]
Break Fix = pay as you go
Complete =
";
    let config = parse(text).unwrap();
    assert_eq!(config.nexus_auth.username, "sync");
    assert_eq!(exposed(config.nexus_auth.password.as_ref()), Some("secret"));
    assert_eq!(config.freshservice.address().as_deref(), Some("https://acme.freshservice.com"));
    assert_eq!(config.datto.address().as_deref(), Some("https://pinotage-api.centrastage.net"));
    assert_eq!(config.datto.requests_per_minute, 0);
    let plans: Vec<_> = config.plans.iter().map(|plan| (plan.name.as_str(), plan.text.as_str())).collect();
    assert_eq!(plans, [("Break Fix", "pay as you go"), ("Complete", "")]);
}

#[test]
fn a_base_url_takes_the_place_of_the_vendors_address() {
    let text = "[freshservice]\napi_key=k\nbase_url=http://127.0.0.1:9001/\ndomain=acme.freshservice.com\n\
                [datto]\nbase_url=http://[::1]:9002\npublic_key=p\nsecret_key=s";
    let config = parse(text).unwrap();
    assert_eq!(config.freshservice.address().as_deref(), Some("http://127.0.0.1:9001"));
    assert_eq!(config.datto.address().as_deref(), Some("http://[::1]:9002"));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_is_expected() {
    let table = [
        ("[freshservice]\napi_ky = x", "nexus.conf line 2: [freshservice] has no key api_ky; did you mean api_key?"),
        (
            "[server]\nfoo = x",
            "nexus.conf line 2: [server] has no key foo; known are certificate, private_key, public_url, max_body_bytes",
        ),
        (
            "\n# c\n[fresh service]",
            "nexus.conf line 3: there is no section [fresh service]; did you mean freshservice?",
        ),
        (
            "[backup]",
            "nexus.conf line 1: there is no section [backup]; known are nexus_auth, freshservice, datto, database, server, plans, features",
        ),
        ("api_key = x", "nexus.conf line 1: expected a [section] before the first key"),
        ("[datto", "nexus.conf line 1: expected a section's name between [ and ]"),
        ("[datto]\nhunter2", "nexus.conf line 2: expected `key = value`, `[section]` or a comment"),
        ("[datto]\n= hunter2", "nexus.conf line 2: expected a name before the value"),
        ("[plans]\nA = 1\na = 2", "nexus.conf line 3: [plans] a is there twice"),
        ("[plans]\n[datto]\n[plans]", "nexus.conf line 3: [plans] is there twice"),
        (
            "[nexus_auth]\ntoken_hours = hunter2",
            "nexus.conf line 2: [nexus_auth] token_hours: expected a whole number from 1 to 720",
        ),
        (
            "[nexus_auth]\ntoken_hours = 0",
            "nexus.conf line 2: [nexus_auth] token_hours: expected a whole number from 1 to 720",
        ),
        (
            "[freshservice]\ndomain = https://acme",
            "nexus.conf line 2: [freshservice] domain: expected a name like acme or acme.freshservice.com",
        ),
        (
            "[database]\nurl = mysql://u:hunter2@h/d",
            "nexus.conf line 2: [database] url: expected sqlite://FILE or postgres://USER@HOST/DATABASE",
        ),
        (
            "[database]\nurl = sqlite://:memory:",
            "nexus.conf line 2: [database] url: expected sqlite://FILE or postgres://USER@HOST/DATABASE",
        ),
        ("[freshservice]\napi_key = hunter2", "nexus.conf: [freshservice] domain is missing; it goes with api_key"),
        ("[datto]\npublic_key = hunter2", "nexus.conf: [datto] secret_key is missing; it goes with public_key"),
        (
            "[datto]\npublic_key = hunter2\nsecret_key = x",
            "nexus.conf: [datto] api_endpoint is missing; it goes with public_key",
        ),
        ("[server]\ncertificate = a.pem", "nexus.conf: [server] private_key is missing; it goes with certificate"),
    ];
    for (text, expected) in table {
        let told = parse(text).unwrap_err().to_string();
        assert_eq!(told, expected);
        assert!(!told.contains("hunter2"), "a value in {told}");
    }
}

#[test]
fn keys_of_a_vendor_travel_in_the_clear_to_this_machine_only() {
    let accepted =
        ["https://a.example", "https://a.example:8443/x", "http://localhost:1", "http://127.0.0.2", "http://[::1]"];
    let refused = [
        "http://a.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1.evil.example",
        "https://u:p@a.example",
        "https://a.example:port",
        "https://a.example?x",
        "https://",
        "ftp://localhost",
        "a.example",
    ];
    for (addresses, accept) in [(accepted.as_slice(), true), (refused.as_slice(), false)] {
        for address in addresses {
            assert_eq!(parse(&format!("[datto]\nbase_url = {address}")).is_ok(), accept, "{address}");
        }
    }
}

#[test]
fn the_environment_lies_over_the_file() {
    let text = "[freshservice]\napi_key = of-the-file\ndomain = acme\n[plans]\nComplete = old";
    let environment = [
        ("HOME", "/root"),
        ("NEXUS_INSTANCE", "elsewhere"),
        ("NEXUS_DATABASE_URL", "postgres://u:p@h/d"),
        ("NEXUS__DATABASE__URL", "sqlite://other.db"),
        ("NEXUS__FRESHSERVICE__API_KEY", "of-the-environment"),
        ("NEXUS__nexus_auth__Token_Hours", "2"),
        ("NEXUS__PLANS__COMPLETE", "new"),
    ];
    let config = overlaid(text, &environment).unwrap();
    assert_eq!(exposed(config.freshservice.api_key.as_ref()), Some("of-the-environment"));
    assert_eq!(config.nexus_auth.token_hours, 2);
    assert_eq!(config.plans, [Choice { name: "Complete".to_owned(), text: "new".to_owned() }]);
    assert!(
        matches!(config.database.url, Some(DatabaseUrl::Postgres(url)) if url.expose_secret() == "postgres://u:p@h/d")
    );
    // A blank variable takes a vendor out of use.
    let config = overlaid(text, &[("NEXUS__FRESHSERVICE__API_KEY", "")]).unwrap();
    assert!(!config.freshservice.is_configured());
}

#[test]
fn a_mistake_in_the_environment_is_told_by_the_variables_name() {
    let told = |name, value| overlaid("", &[(name, value)]).unwrap_err().to_string();
    assert_eq!(
        told("NEXUS__FRESHSERVICE__APIKEY", "x"),
        "environment variable NEXUS__FRESHSERVICE__APIKEY: [freshservice] has no key APIKEY; did you mean api_key?"
    );
    assert_eq!(
        told("NEXUS__DATTO", "x"),
        "environment variable NEXUS__DATTO: expected a name of the form NEXUS__SECTION__KEY"
    );
    assert_eq!(
        told("NEXUS_DATABASE_URL", "hunter2"),
        "environment variable NEXUS_DATABASE_URL: [database] url: expected sqlite://FILE or postgres://USER@HOST/DATABASE"
    );
}

#[test]
fn secrets_are_not_in_the_debug_text() {
    let text = "[nexus_auth]\npassword=hunter2\n[freshservice]\napi_key=hunter2\ndomain=acme\n[datto]\npublic_key=hunter2\n\
                secret_key=hunter2\nbase_url=https://a.example\n[database]\nurl=postgres://u:hunter2@h/d";
    assert!(!format!("{:?}", parse(text).unwrap()).contains("hunter2"));
}
