//! The template in moto: what an emulator of AWS makes of it.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]

use std::path::Path;

use nexus_deployed::{Moto, Python, Template};
use serde_json::{Value, json};

#[test]
fn the_stack_comes_up_with_its_functions_roles_rules_targets_and_permissions() {
    let python = Python::ready(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let template = Template::translated(&python);
    let aws = Moto::start(&python);
    let done = python.run("template.py", &["deploy", aws.url()]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let held: Value = serde_json::from_slice(&done.stdout).unwrap();
    // What moto cannot take; read it before trusting what follows.
    println!("changed: {:#}\nleft out: {:#}", held["changed"], held["left"]);

    assert_eq!(held["functions"].as_object().unwrap().len(), template.functions().len());
    for (name, (_, function)) in template.functions() {
        let there = &held["functions"][format!("nexus-{name}")];
        assert_eq!((&there["Timeout"], &there["Handler"]), (&function["Timeout"], &json!("bootstrap")), "{name}");
        assert_eq!(there["Environment"]["Variables"]["NEXUS_RELEASE"], "test", "{name}");
        let role = &held["roles"][there["Role"].as_str().unwrap()];
        assert_eq!(role[0]["Statement"][0]["Action"], json!(["logs:CreateLogStream", "logs:PutLogEvents"]), "{name}");
        if function["VpcConfig"].is_object() {
            let url = there["Environment"]["Variables"]["NEXUS_DATABASE_URL"].as_str().unwrap();
            assert!(url.starts_with("postgres://nexus@database.example.com:5432/nexus?"), "{url}");
            assert_eq!(there["VpcConfig"]["SubnetIds"].as_array().unwrap().len(), 2, "{name}");
        }
        let callers: Vec<_> =
            there["Policy"].as_array().unwrap().iter().map(|it| &it["Principal"]["Service"]).collect();
        if function["ReservedConcurrentExecutions"].is_null() {
            assert!(callers.iter().all(|caller| *caller == "apigateway.amazonaws.com"), "{name}: {callers:?}");
            assert_eq!(callers.is_empty(), name == "setup", "{name}");
            continue;
        }
        assert_eq!(there["Reserved"], 1, "{name}");
        started(name, &held, there);
    }
}

/// A job has a rule with a schedule on the default bus and one for requests on ours, and both may start it.
fn started(job: &str, held: &Value, function: &Value) {
    let target = json!([{ "Id": job, "Arn": function["FunctionArn"] }]);
    let rules: Vec<_> =
        held["rules"].as_object().unwrap().iter().filter(|(_, rule)| rule["Targets"] == target).collect();
    let mut buses: Vec<_> = rules.iter().map(|(_, rule)| rule["Bus"].as_str().unwrap()).collect();
    buses.sort_unstable();
    assert_eq!(buses, ["default", "nexus"], "{job}");
    for (arn, rule) in rules {
        let allowed = function["Policy"].as_array().unwrap().iter().any(|it| {
            it["Principal"]["Service"] == "events.amazonaws.com" && it["Condition"]["ArnLike"]["AWS:SourceArn"] == **arn
        });
        assert!(allowed, "{arn} may not start {job}");
        if rule["Bus"] == "default" {
            assert_eq!(rule["Name"], format!("nexus-{job}"));
            assert!(rule["ScheduleExpression"].is_string(), "{job}");
        } else {
            assert!(rule["EventPattern"].as_str().unwrap().contains(&format!("\"{job}\"")), "{rule}");
        }
    }
}

#[test]
fn moto_ends_with_its_test() {
    let python = Python::ready(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let aws = Moto::start(&python);
    let address = aws.url().strip_prefix("http://").unwrap().to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(aws);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn the_python_parts_say_how_they_are_used() {
    let python = Python::ready(Path::new(env!("CARGO_TARGET_TMPDIR")));
    let done = python.run::<&str>("template.py", &[]);
    assert!(!done.status.success());
    assert!(String::from_utf8_lossy(&done.stderr).contains("template.py lint"));
}
