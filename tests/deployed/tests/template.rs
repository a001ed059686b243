//! What `infra/template.yaml` promises, on the template as `CloudFormation` gets it.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use nexus_deployed::template::{items, named};
use nexus_deployed::{Python, Routes, Template};
use serde_json::{Value, json};

static PYTHON: LazyLock<Python> = LazyLock::new(|| Python::ready(Path::new(env!("CARGO_TARGET_TMPDIR"))));
static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::translated(&PYTHON));

/// Jobs and their secrets.
const JOBS: &[(&str, &[&str])] = &[
    ("sync-freshservice", &["accounts", "freshservice"]),
    ("sync-datto", &["accounts", "datto"]),
    ("assign-account-numbers", &["accounts", "freshservice"]),
    ("push-account-numbers", &["accounts", "datto"]),
    ("publish-changes", &["accounts"]),
];

/// What may stand in a right's resource with a `*`, and why.
const WILDCARDS: &[(&str, &str, &str)] =
    &[("ec2:", "*", "Lambda asks for these on all resources before it joins a function to a VPC")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folders of `functions/`.
fn workspace() -> Vec<String> {
    let folders = fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = folders
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn is_job(function: &str) -> bool {
    JOBS.iter().any(|(job, _)| *job == function)
}

/// The deployed functions that answer requests.
fn groups() -> Vec<&'static str> {
    TEMPLATE.functions().into_keys().filter(|name| !is_job(name) && *name != "setup").collect()
}

fn environment(function: &str) -> &'static Value {
    &TEMPLATE.functions()[function].1["Environment"]["Variables"]
}

#[test]
fn the_linter_finds_nothing() {
    let done = PYTHON.run("template.py", &["lint"]);
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && told.is_empty(), "{told}{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_linter_finds_what_is_broken() {
    let template = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let broken = [
        ("Runtime: provided.al2023", "Runtime: provided.al2030", "Runtime"),
        ("Role: !GetAtt HomeRole.Arn", "Role: !GetAtt HomeRole.Name", "Home"),
        ("Action: sqs:SendMessage", "Action: sqs:SendMesage", "sendmesage"),
        ("ScheduleExpression: rate(1 day)", "ScheduleExpression: rate(1 days)", "ScheduleExpression"),
    ];
    for (number, (right, wrong, place)) in broken.into_iter().enumerate() {
        assert!(template.contains(right), "{right}");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("broken-{number}.yaml"));
        fs::write(&file, template.replacen(right, wrong, 1)).unwrap();
        let done = PYTHON.run("template.py", &["lint".as_ref(), file.as_os_str()]);
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success() && told.contains(place), "{wrong}: {told}");
    }
}

#[test]
fn every_function_of_the_workspace_is_deployed_and_no_other() {
    let workspace = workspace();
    let names: Vec<&str> = workspace.iter().map(String::as_str).collect();
    assert!(names.contains(&"companies"));
    assert_eq!(TEMPLATE.without(&names), <[&str; 0]>::default());
    assert_eq!(TEMPLATE.functions().into_keys().collect::<Vec<_>>(), names);
}

#[test]
fn a_function_that_was_forgotten_is_told() {
    assert_eq!(TEMPLATE.without(&["auth", "forgotten", "sync-datto"]), ["forgotten"]);
}

#[test]
fn every_function_has_a_role_a_log_memory_a_time_limit_and_an_alarm_of_its_own() {
    let (mut roles, mut logs) = (BTreeSet::new(), BTreeSet::new());
    for (name, (resource, function)) in TEMPLATE.functions() {
        assert!(roles.insert(function["Role"]["Fn::GetAtt"][0].as_str().unwrap()), "{name} shares its role");
        let log = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert!(logs.insert(log), "{name} shares its log");
        let log_group = &TEMPLATE.resource(log)["Properties"];
        assert_eq!(log_group["LogGroupName"]["Fn::Sub"], format!("/aws/lambda/${{AWS::StackName}}-{name}"));
        assert_eq!(log_group["RetentionInDays"], json!({ "Ref": "LogRetentionDays" }), "{name}");
        assert_eq!(function["LoggingConfig"]["LogFormat"], "JSON", "{name}");
        let writes =
            TEMPLATE.statements(name).into_iter().find(|it| items(&it["Action"]).any(|it| it == "logs:PutLogEvents"));
        assert_eq!(writes.unwrap()["Resource"]["Fn::GetAtt"], json!([log, "Arn"]), "{name}");
        assert!(function["MemorySize"].is_number() || function["MemorySize"]["Ref"].is_string(), "{name}");
        let limit = match name {
            job if is_job(job) => 300..=900,
            // As long as a client looks how its run ends.
            "settings" | "setup" | "sync" => 900..=900,
            _ => 29..=29,
        };
        assert!(limit.contains(&function["Timeout"].as_u64().unwrap()), "{name}");
        assert_eq!(function["Code"]["S3Key"], format!("{name}.zip"));
        assert_eq!(function["Handler"], "bootstrap", "{name}");
        assert!(watched(resource, "Errors"), "no alarm tells of errors of {name}");
    }
}

/// Whether an alarm looks at this metric of this function.
fn watched(function: &str, metric: &str) -> bool {
    let dimensions = json!([{ "Name": "FunctionName", "Value": { "Ref": function } }]);
    TEMPLATE.resources("AWS::CloudWatch::Alarm").flat_map(|(_, alarm)| items(&alarm["Metrics"])).any(|it| {
        let seen = &it["MetricStat"]["Metric"];
        seen["Namespace"] == "AWS/Lambda" && seen["MetricName"] == metric && seen["Dimensions"] == dimensions
    })
}

#[test]
fn alarms_tell_of_throttles_faults_dead_letters_held_plans_and_missed_runs() {
    for group in groups() {
        assert!(watched(TEMPLATE.functions()[group].0, "Throttles"), "{group}");
    }
    for job in ["sync-freshservice", "sync-datto"] {
        assert!(watched(TEMPLATE.functions()[job].0, "Invocations"), "{job}");
    }
    let metrics: Vec<_> = TEMPLATE
        .resources("AWS::CloudWatch::Alarm")
        .flat_map(|(_, alarm)| items(&alarm["Metrics"]))
        .map(|metric| &metric["MetricStat"]["Metric"])
        .collect();
    for (space, name) in [("AWS/ApiGateway", "5xx"), ("AWS/SQS", "ApproximateNumberOfMessagesVisible")] {
        assert!(metrics.iter().any(|it| it["Namespace"] == space && it["MetricName"] == name), "{name}");
    }
    let (_, filter) = TEMPLATE.resources("AWS::Logs::MetricFilter").next().unwrap();
    assert_eq!(filter["LogGroupName"], TEMPLATE.functions()["sync"].1["LoggingConfig"]["LogGroup"]);
    let event = "plan_held";
    assert_eq!(filter["FilterPattern"], format!("{{ $.fields.event = \"{event}\" }}"));
    let code = fs::read_to_string(root().join("functions/sync/src/protocol.rs")).unwrap();
    assert!(code.contains(&format!("(event = \"{event}\"")), "sync does not log {event}");
    let held = &filter["MetricTransformations"][0];
    assert!(
        metrics.iter().any(|it| it["Namespace"] == held["MetricNamespace"] && it["MetricName"] == held["MetricName"])
    );
    for (name, alarm) in TEMPLATE.resources("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"]["Fn::If"][1], json!([{ "Ref": "AlarmTopic" }]), "{name} tells nobody");
    }
}

#[test]
fn no_right_is_wider_than_it_must_be() {
    for function in TEMPLATE.functions().into_keys() {
        let statements = TEMPLATE.statements(function);
        assert!(!statements.is_empty());
        for statement in statements.into_iter().filter(|statement| statement["Effect"] == "Allow") {
            assert!(statement["NotAction"].is_null() && statement["NotResource"].is_null(), "{function}: {statement}");
            let actions: Vec<_> = items(&statement["Action"]).map(|action| action.as_str().unwrap()).collect();
            assert!(!actions.iter().any(|action| action.contains('*')), "{function}: {statement}");
            // Also where it is put together of parts.
            for resource in items(&statement["Resource"]).filter(|resource| resource.to_string().contains('*')) {
                let allowed = WILDCARDS.iter().any(|(service, text, _)| {
                    resource == text && actions.iter().all(|action| action.starts_with(service))
                });
                assert!(allowed, "{function}: {statement}");
            }
        }
    }
    for kind in ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"] {
        for (name, policy) in TEMPLATE.resources(kind) {
            assert!(
                items(&policy["ManagedPolicyArns"]).all(|arn| arn["Ref"].is_string()),
                "{name} takes a policy of AWS"
            );
        }
    }
}

#[test]
fn settings_may_set_the_rules_of_the_jobs_and_no_other_function_as_their_target() {
    let arns = |before: &str| -> BTreeSet<String> {
        let begin = "arn:${AWS::Partition}:";
        JOBS.iter().map(|(job, _)| format!("{begin}{before}${{AWS::StackName}}-{job}")).collect()
    };
    let written = |list: &Value| -> BTreeSet<String> {
        items(list).map(|it| it["Fn::Sub"].as_str().unwrap().to_owned()).collect()
    };
    for action in ["events:PutRule", "events:PutTargets"] {
        let statements = TEMPLATE.statements("settings").into_iter();
        let given: Vec<_> = statements.filter(|it| items(&it["Action"]).any(|given| given == action)).collect();
        assert_eq!(given.len(), 1, "{action}");
        assert_eq!(written(&given[0]["Resource"]), arns("events:${AWS::Region}:${AWS::AccountId}:rule/"), "{action}");
        if action == "events:PutTargets" {
            let condition = &given[0]["Condition"];
            let targets = &condition["ForAllValues:ArnEquals"]["events:TargetArn"];
            assert_eq!(written(targets), arns("lambda:${AWS::Region}:${AWS::AccountId}:function:"));
            // For all of none would be true as well.
            assert_eq!(condition["Null"], json!({ "events:TargetArn": "false" }));
        }
    }
}

#[test]
fn what_lambda_may_do_in_the_network_the_code_of_a_function_may_not() {
    for group in groups() {
        let statements = TEMPLATE.statements(group);
        let of = |effect: &str| {
            let network =
                |it: &&&Value| it["Effect"] == effect && it["Action"][0].as_str().unwrap_or("").starts_with("ec2:");
            statements.iter().find(network).unwrap_or_else(|| panic!("{group}: {effect}"))
        };
        let (allowed, denied) = (of("Allow"), of("Deny"));
        assert_eq!((&denied["Action"], &denied["Resource"]), (&allowed["Action"], &json!("*")), "{group}");
        let code = denied["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]["Fn::Sub"].as_str().unwrap();
        assert!(code.ends_with(":function:${AWS::StackName}-*"), "{group}: {code}");
    }
}

#[test]
fn only_what_needs_the_database_is_in_its_network_and_knows_of_it() {
    for (name, (_, function)) in TEMPLATE.functions() {
        let variables = function["Environment"]["Variables"].as_object().unwrap();
        let told = variables.keys().any(|key| key.starts_with("NEXUS_DATABASE") || key.starts_with("NEXUS__DATABASE"));
        let rights = TEMPLATE.statements(name).into_iter().flat_map(|statement| items(&statement["Action"]));
        let network = rights.filter(|action| action.as_str().unwrap().starts_with("ec2:")).count() > 0;
        let needs = !is_job(name);
        assert_eq!((function["VpcConfig"].is_object(), told, network), (needs, needs, needs), "{name}");
        if needs {
            assert_eq!(variables["NEXUS_DATABASE_URL"], json!({ "Fn::GetAtt": ["DatabaseUrl", "Value"] }), "{name}");
            assert_eq!(variables["NEXUS__DATABASE__MAX_CONNECTIONS"], "2", "{name}");
            // Long enough for a database that wakes up, and not as long as the function may take.
            let wait: u64 = variables["NEXUS__DATABASE__ACQUIRE_TIMEOUT_SECONDS"].as_str().unwrap().parse().unwrap();
            assert!((20..function["Timeout"].as_u64().unwrap()).contains(&wait), "{name}: {wait}");
        }
    }
    let url = &TEMPLATE.resource("DatabaseUrl")["Properties"]["Value"]["Fn::Sub"][0];
    assert!(url.as_str().unwrap().ends_with("?sslmode=verify-full&sslrootcert=/var/task/rds-ca.pem"), "{url}");
}

#[test]
fn every_function_reads_its_own_secrets_and_may_read_no_others() {
    let mut expected: BTreeMap<&str, &[&str]> = JOBS.iter().copied().collect();
    expected.insert("setup", &["accounts", "admin", "database"]);
    for group in groups() {
        expected.insert(group, &["database", "signing"]);
    }
    for (function, secrets) in expected {
        let secrets: BTreeSet<String> = secrets.iter().map(ToString::to_string).collect();
        assert_eq!(TEMPLATE.secrets(function), secrets, "{function}");
        assert_eq!(TEMPLATE.readable_secrets(function), secrets, "{function}");
    }
}

#[test]
fn a_job_runs_once_at_a_time_and_leaves_what_it_could_not_take() {
    for (job, _) in JOBS {
        let (resource, function) = TEMPLATE.functions()[job];
        assert_eq!(function["ReservedConcurrentExecutions"], 1, "{job}");
        let mut configs = TEMPLATE.resources("AWS::Lambda::EventInvokeConfig");
        let (_, config) = configs.find(|(_, config)| config["FunctionName"]["Ref"] == resource).unwrap();
        assert_eq!(
            config["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"],
            json!(["DeadLetters", "Arn"])
        );
        assert!(config["MaximumRetryAttempts"].as_u64().unwrap() <= 1, "{job}");
        let sends = |it: &&Value| items(&it["Action"]).any(|action| action == "sqs:SendMessage");
        assert_eq!(TEMPLATE.statements(job).into_iter().filter(sends).count(), 1, "{job}");
        assert_eq!(environment(job)["NEXUS__SERVER__PUBLIC_URL"]["Fn::GetAtt"], json!(["PublicUrl", "Value"]), "{job}");
    }
}

#[test]
fn a_job_is_started_by_its_schedule_and_by_a_request() {
    for (job, _) in JOBS {
        let (resource, _) = TEMPLATE.functions()[job];
        let target = json!([{ "Id": job, "Arn": { "Fn::GetAtt": [resource, "Arn"] } }]);
        let rules: Vec<_> =
            TEMPLATE.resources("AWS::Events::Rule").filter(|(_, rule)| rule["Targets"] == target).collect();
        assert_eq!(rules.len(), 2, "{job}");
        for (name, rule) in rules {
            if rule["ScheduleExpression"].is_null() {
                let pattern =
                    json!({ "source": ["nexus"], "detail-type": ["run requested"], "detail": { "job": [job] } });
                assert_eq!(rule["EventPattern"], pattern, "{job}");
                assert_eq!(rule["EventBusName"], json!({ "Fn::Sub": "${AWS::StackName}" }), "{job}");
            } else {
                assert_eq!(named(&rule["Name"]), *job);
                assert!(rule["EventBusName"].is_null(), "{job}: schedules exist on the default bus only");
            }
            let allowed = TEMPLATE.resources("AWS::Lambda::Permission").any(|(_, permission)| {
                permission["FunctionName"]["Ref"] == resource
                    && permission["Principal"] == "events.amazonaws.com"
                    && permission["SourceArn"]["Fn::GetAtt"] == json!([name, "Arn"])
            });
            assert!(allowed, "{name} may not start {job}");
        }
    }
}

#[test]
fn schedules_are_those_that_the_migrations_write() {
    let deployed: BTreeMap<_, _> = TEMPLATE
        .resources("AWS::Events::Rule")
        .filter(|(_, rule)| rule["ScheduleExpression"].is_string())
        .map(|(_, rule)| {
            let enabled = rule["State"] == "ENABLED";
            (named(&rule["Name"]).to_owned(), (rule["ScheduleExpression"].as_str().unwrap().to_owned(), enabled))
        })
        .collect();
    let mut written = BTreeMap::new();
    for file in fs::read_dir(root().join("migrations/postgres")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for rows in text.split("INSERT INTO jobs ").skip(1) {
            let rows = rows.split_once(';').unwrap().0.split_once("VALUES").unwrap().1;
            // Names and titles hold no apostrophe: 'name', 'title', 'schedule', enabled, 'time'.
            let parts: Vec<_> = rows.split('\'').collect();
            for row in parts.chunks_exact(8) {
                written.insert(row[1].to_owned(), (row[5].to_owned(), row[6].contains("TRUE")));
            }
        }
    }
    assert_eq!(deployed, written);
}

#[test]
fn settings_keeps_the_rules_of_the_jobs_and_two_functions_send_events() {
    let may = |function: &str| -> BTreeSet<String> {
        let actions = TEMPLATE.statements(function).into_iter().flat_map(|statement| items(&statement["Action"]));
        let actions = actions.map(|action| action.as_str().unwrap().to_owned());
        actions.filter(|action| action.starts_with("events:")).collect()
    };
    for function in TEMPLATE.functions().into_keys() {
        let expected: &[&str] = match function {
            "settings" => &["PutEvents", "PutRule", "PutTargets"],
            "publish-changes" => &["PutEvents"],
            _ => &[],
        };
        assert_eq!(may(function), expected.iter().map(|action| format!("events:{action}")).collect(), "{function}");
        assert_eq!(environment(function)["NEXUS_EVENT_BUS"].is_object(), !expected.is_empty(), "{function}");
    }
    let variables = environment("settings");
    assert_eq!(variables["NEXUS_RULE_PREFIX"], json!({ "Fn::Sub": "${AWS::StackName}-" }));
    let prefix = variables["NEXUS_JOB_FUNCTION_ARN_PREFIX"]["Fn::Sub"].as_str().unwrap();
    assert!(prefix.ends_with(":function:${AWS::StackName}-"), "{prefix}");
}

#[test]
fn the_database_is_set_up_in_each_deploy_before_the_groups_are_updated() {
    let (name, run) = TEMPLATE.resources("Custom::NexusSetup").next().unwrap();
    assert_eq!(run["Release"], json!({ "Ref": "Release" }));
    assert_eq!(run["ServiceToken"]["Fn::GetAtt"], json!([TEMPLATE.functions()["setup"].0, "Arn"]));
    for group in groups() {
        assert_eq!(TEMPLATE.resource(TEMPLATE.functions()[group].0)["DependsOn"], name, "{group}");
    }
    for function in TEMPLATE.functions().into_keys() {
        assert_eq!(environment(function)["NEXUS_RELEASE"], json!({ "Ref": "Release" }), "{function} is not restarted");
    }
}

#[test]
fn a_group_gets_the_path_as_it_was_asked_for() {
    for group in groups() {
        assert_eq!(environment(group)["AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"], "true", "{group}");
    }
}

#[test]
fn secrets_that_are_made_have_the_names_that_functions_read() {
    let secret = |name: &str| &TEMPLATE.resource(name)["Properties"];
    let database = secret("DatabaseSecret");
    let given = database["SecretString"]["Fn::If"][1]["Fn::Sub"].as_str().unwrap();
    let given: BTreeMap<String, Value> = serde_json::from_str(given).unwrap();
    let made = &database["GenerateSecretString"]["Fn::If"][2]["GenerateStringKey"];
    assert_eq!(given.keys().collect::<Vec<_>>(), [made.as_str().unwrap()]);
    let generated = |name: &str| &secret(name)["GenerateSecretString"]["GenerateStringKey"];
    for (made, reader) in [
        (made, "shared/web/src/lambda.rs"),
        (generated("AdminSecret"), "functions/setup/src/lib.rs"),
        (generated("AccountsSecret"), "shared/jobs/src/lambda.rs"),
    ] {
        let code = fs::read_to_string(root().join(reader)).unwrap();
        assert!(code.contains(&made.to_string()), "{reader} does not read {made}");
    }
}

#[test]
fn the_scripts_can_be_read_by_bash_and_name_keys_as_the_functions_do() {
    for script in ["infra/deploy", "infra/signing-key"] {
        let done = Command::new("bash").arg("-n").arg(root().join(script)).output().unwrap();
        assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let script = fs::read_to_string(root().join("infra/signing-key")).unwrap();
    let prefix = script.lines().find_map(|line| line.strip_prefix("prefix=")).unwrap();
    let code = fs::read_to_string(root().join("shared/web/src/lambda.rs")).unwrap();
    assert!(code.contains(&format!("SIGNING_KEY: &str = \"{prefix}\"")), "{prefix}");
}

#[test]
fn the_api_sends_each_path_to_its_group() {
    let routes = Routes::of(&TEMPLATE);
    let expected = [
        ("/", "home"),
        ("/static/x", "home"),
        ("/healthz", "home"),
        ("/api/search", "home"),
        ("/companies.csv", "companies"),
        ("/api/companies/ACME/contacts", "companies"),
        ("/settings", "settings"),
        ("/settings/jobs", "settings"),
        ("/settings/users", "users"),
        ("/settings/users/3", "users"),
        ("/settings/keys/3/revoke", "users"),
        ("/api/sync/runs", "sync"),
        ("/api/changesets/3/apply", "sync"),
        ("/.well-known/jwks.json", "auth"),
    ];
    for (path, function) in expected {
        assert_eq!(routes.function(path), Some(function), "{path}");
    }
}

#[test]
fn the_log_of_the_api_names_the_invocation_that_a_functions_log_has() {
    let (_, stage) = TEMPLATE.resources("AWS::ApiGatewayV2::Stage").next().unwrap();
    let line: Value = serde_json::from_str(stage["AccessLogSettings"]["Format"].as_str().unwrap()).unwrap();
    assert_eq!(line["invocation"], "$context.integration.requestId");
}

#[test]
fn every_path_that_a_group_serves_reaches_it() {
    let routes = Routes::of(&TEMPLATE);
    for group in groups() {
        let paths = served(&root().join("functions").join(group).join("src"));
        assert!(!paths.is_empty(), "{group} serves nothing");
        for path in paths {
            assert_eq!(routes.function(&path), Some(group), "{path}");
        }
    }
}

/// The paths in the source of a group: `.route("/…"` of pages and `path = "/…"` of the API.
fn served(folder: &Path) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(served(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text: String = fs::read_to_string(&path).unwrap().split_whitespace().collect();
            for begin in [".route(\"/", "path=\"/"] {
                let found = text.split(begin).skip(1).filter_map(|rest| rest.split_once('"'));
                paths.extend(found.map(|(path, _)| format!("/{path}")));
            }
        }
    }
    paths
}
