//! The command as a person meets it: what it prints, and the code with which it ends.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use local_runner::cli::{self, Request};

fn command(instance: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-runner"));
    command.env_clear().env("NEXUS_INSTANCE", instance).env("NEXUS_LISTEN", "127.0.0.1:0");
    command
}

/// The one line on standard error of a call that was refused.
fn refusal(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(output.stdout.is_empty());
    assert!(told.starts_with("nexus: ") && told.ends_with('\n') && told.lines().count() == 1, "{told}");
    told.trim_start_matches("nexus: ").trim_end().to_owned()
}

/// A server and its ready line.
fn serve(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim_end().to_owned())
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn serving_makes_the_instance_says_where_it_listens_and_ends_on_a_signal() {
    for name in ["-INT", "-TERM"] {
        let parent = tempfile::tempdir().unwrap();
        let instance = parent.path().join("instance");
        let (mut child, ready) = serve(&mut command(&instance));
        let port = ready.strip_prefix("Nexus is listening on https://127.0.0.1:").map(str::parse::<u16>);
        assert!(matches!(port, Some(Ok(1..))), "{ready}");
        assert!(instance.join("nexus.conf").exists());

        let url = ready.trim_start_matches("Nexus is listening on ");
        assert_eq!(refusal(&command(&instance).output().unwrap()), format!("this instance is already served at {url}"));

        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn plain_http_is_served_on_loopback_only() {
    let instance = tempfile::tempdir().unwrap();
    let (mut child, ready) = serve(command(instance.path()).args(["serve", "--http"]));
    assert!(ready.starts_with("Nexus is listening on http://127.0.0.1:"), "{ready}");
    signal(&child, "-INT");
    assert!(child.wait().unwrap().success());

    let refused = refusal(&command(instance.path()).args(["--http", "--listen", "0.0.0.0:0"]).output().unwrap());
    assert!(refused.contains("--http is for loopback addresses only"), "{refused}");
}

#[test]
fn the_default_password_keeps_it_on_loopback() {
    let instance = tempfile::tempdir().unwrap();
    let refused = refusal(&command(instance.path()).args(["--listen", "0.0.0.0:0"]).output().unwrap());
    assert!(refused.contains("default password"), "{refused}");
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let instance = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let refused = refusal(&command(instance.path()).args(["--listen", &address]).output().unwrap());
    assert_eq!(refused, format!("cannot listen on {address}: the port is in use; choose another one with --listen"));
}

#[test]
fn an_unreadable_configuration_is_one_clear_line() {
    let instance = tempfile::tempdir().unwrap();
    let conf = instance.path().join("nexus.conf");
    let told = || refusal(&command(instance.path()).output().unwrap());

    fs::create_dir(&conf).unwrap();
    assert!(told().starts_with("cannot read ") && told().contains("nexus.conf: "), "{}", told());
    fs::remove_dir(&conf).unwrap();

    fs::write(&conf, [0xff, 0xfe, b'[', 0]).unwrap();
    assert!(told().starts_with("cannot read ") && told().contains("UTF-8"), "{}", told());

    fs::write(&conf, "[freshservice]\napi-key = x\n").unwrap();
    assert_eq!(told(), "nexus.conf line 2: [freshservice] has no key api-key; did you mean api_key?");
}

#[test]
fn an_unknown_database_scheme_is_one_clear_line() {
    let instance = tempfile::tempdir().unwrap();
    let output = command(instance.path()).env("NEXUS_DATABASE_URL", "mysql://root:secret@db/nexus").output().unwrap();
    let refused = refusal(&output);
    assert!(refused.contains("NEXUS_DATABASE_URL") && refused.contains("sqlite://FILE or postgres://"), "{refused}");
    assert!(!refused.contains("secret"));
}

#[test]
fn a_damaged_certificate_is_one_clear_line() {
    let instance = tempfile::tempdir().unwrap();
    assert!(command(instance.path()).arg("init").status().unwrap().success());
    fs::write(instance.path().join("certificates/server.pem"), "damaged").unwrap();
    for arguments in [["serve"], ["init"]] {
        let refused = refusal(&command(instance.path()).args(arguments).output().unwrap());
        assert!(refused.contains("certificates/server.pem: the certificate is damaged"), "{refused}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_one_clear_line() {
    let instance = tempfile::tempdir().unwrap();
    let table = [
        (vec!["--htp"], "unexpected argument '--htp' found; a similar argument exists: '--http'"),
        (vec!["job"], "the following required arguments were not provided: <NAME>"),
        (vec!["--listen", "5000"], "invalid value '5000' for '--listen <ADDRESS>': expected an IP address and a port"),
        (vec!["server"], "unrecognized subcommand 'server'; a similar subcommand exists: 'serve'"),
    ];
    for (arguments, expected) in table {
        let refused = refusal(&command(instance.path()).args(&arguments).output().unwrap());
        assert!(refused.starts_with(expected), "{refused}");
    }
    assert_eq!(fs::read_dir(instance.path()).unwrap().count(), 0);
}

#[test]
fn options_stand_before_or_after_the_command() {
    let parse = |line: &str| match cli::read(line.split(' ').map(Into::into)) {
        Ok(Request::Run(cli)) => cli,
        other => panic!("{line}: {other:?}"),
    };
    for line in ["local-runner --http --instance x job NAME --json", "local-runner job --json NAME --instance x --http"]
    {
        let cli = parse(line);
        assert!(cli.http);
        assert_eq!(cli.instance, Path::new("x"));
        assert_eq!(cli.command, Some(cli::Command::Job { name: "NAME".to_owned(), dry_run: false, json: true }));
    }
    let cli = parse("local-runner --listen localhost:5001");
    assert_eq!((cli.listen.to_string().as_str(), cli.command), ("127.0.0.1:5001", None));
}
