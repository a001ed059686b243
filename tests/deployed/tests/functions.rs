//! The binaries as Lambda runs them: behind a gateway, with secrets from the extension, on PostgreSQL.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::routing::put;
use http::Method;
use nexus_db::Query;
use nexus_deployed::deployment::{ADMIN, Deployment, EVENT, Functions, Given, JOBS, binaries};
use nexus_deployed::platform::{Failed, Function};
use nexus_deployed::{Moto, Python, Routes, Template};
use nexus_simulators::{Datto, Freshservice, Size};
use nexus_test_databases::{World, on_postgres};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What is made once for all tests of this process.
fn template() -> &'static (Python, Template) {
    static ONCE: OnceLock<(Python, Template)> = OnceLock::new();
    ONCE.get_or_init(|| {
        let python = Python::ready(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let template = Template::translated(&python);
        (python, template)
    })
}

async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// A deployment on the database of a world.
async fn deployed(world: &World, aws: Option<&Moto>) -> Deployment {
    let given = Given { aws: aws.map(|aws| aws.url().to_owned()), ..Given::default() };
    Deployment::start(&world.url, binaries(), Routes::of(&template().1), given).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_is_set_up_once_and_again_and_says_so_to_cloudformation() {
    on_postgres(async |world: World| {
        let deployed = deployed(&world, None).await;
        let (schema,): (String,) = world.db.one(Query::new("SELECT current_schema()::TEXT")).await.unwrap();
        world.run(&format!("DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}")).await;
        // A group answers nothing before the database is there, and its log says what to do.
        let refused = deployed.get("/api/companies", "no token").await;
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "5"));
        let log = deployed.functions.log("companies");
        assert!(log.contains("the database cannot be used") && log.contains("run the function `setup` first"), "{log}");

        let answers: Arc<Mutex<Vec<Value>>> = Arc::default();
        let heard = answers.clone();
        let hear = async move |body: String| heard.lock().unwrap().push(serde_json::from_str(&body).unwrap());
        let port = serve(Router::new().route("/answer", put(hear))).await;
        let event = |kind: &str| {
            json!({
                "RequestType": kind, "ResponseURL": format!("http://127.0.0.1:{port}/answer?signed=1"), "StackId": "stack",
                "RequestId": kind, "LogicalResourceId": "Prepared", "ResourceType": "Custom::Prepared",
                "ResourceProperties": { "ServiceToken": "arn", "Release": "1" },
            })
        };
        for kind in ["Create", "Update", "Delete"] {
            deployed.functions.invoke("setup", &event(kind), EVENT).await.unwrap();
            let answer = answers.lock().unwrap().pop().unwrap();
            let told = (&answer["Status"], &answer["RequestId"], &answer["PhysicalResourceId"]);
            assert_eq!(told, (&json!("SUCCESS"), &json!(kind), &json!("nexus-setup")), "{answer}");
        }
        assert!(!deployed.token("admin", ADMIN).await.is_empty());
        assert!(!deployed.token("nexus-jobs", JOBS).await.is_empty());

        // What fails is told as well, and the stack goes back.
        world.run("UPDATE _sqlx_migrations SET checksum = '\\x00'::BYTEA, success = FALSE").await;
        assert!(deployed.functions.invoke("setup", &event("Update"), EVENT).await.is_err());
        let answer = answers.lock().unwrap().pop().unwrap();
        assert_eq!(answer["Status"], "FAILED", "{answer}");
        assert!(answer["Reason"].as_str().unwrap().contains("the database cannot be brought to this version"), "{answer}");

        // Also that it has no secrets, without which a stack can be deleted.
        let none = [("NEXUS_SECRETS", "database"), ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "1")];
        let setup = Function::start("setup", &binaries().join("setup"), none).await.unwrap();
        assert!(setup.invoke(&event("Create"), EVENT).await.is_err());
        let answer = answers.lock().unwrap().pop().unwrap();
        assert_eq!(answer["Status"], "FAILED", "{answer}");
        assert!(answer["Reason"].as_str().unwrap().contains("the secret database cannot be read"), "{answer}");
        setup.invoke(&event("Delete"), EVENT).await.unwrap();
        assert_eq!(answers.lock().unwrap().pop().unwrap()["Status"], "SUCCESS");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_services_find_behind_the_gateway_what_they_find_on_the_local_runner() {
    on_postgres(async |world: World| {
        let deployed = deployed(&world, None).await;
        deployed.set_up().await;
        let token = deployed.token("admin", ADMIN).await;

        // A record, through four functions.
        let body = json!({ "account_number": "100", "name": "Ackermann \"Tools\" & 🦀" });
        let made =
            deployed.http.post(deployed.url("/api/companies")).bearer_auth(&token).header("x-request-id", "mine-1");
        let made = made.json(&body).send().await.unwrap();
        assert_eq!((made.status().as_u16(), made.headers()["x-request-id"].to_str().unwrap()), (201, "mine-1"));
        let shown = deployed.get("/api/companies/100", &token).await;
        let etag = shown.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(shown.json::<Value>().await.unwrap()["name"], body["name"]);
        let found =
            deployed.get("/api/companies?search=%22tools%22%20%26%20%F0%9F%A6%80&page=1&per_page=5", &token).await;
        assert_eq!(found.json::<Value>().await.unwrap()[0]["name"], body["name"]);
        let asset = json!({ "hostname": "one", "company_account_number": "100" });
        let asset = deployed.send(Method::POST, "/api/assets", &token, &asset).await;
        assert_eq!(asset.status(), 201);
        let stale = deployed.http.put(deployed.url("/api/companies/100")).bearer_auth(&token);
        let stale = stale.header("if-match", etag).json(&json!({ "phone_system": "x" })).send().await.unwrap();
        assert_eq!(stale.status(), 200);
        let changes = deployed.get("/api/changes?cursor=0", &token).await.json::<Value>().await.unwrap();
        assert!(changes["changes"].as_array().unwrap().len() >= 3, "{changes}");

        // A page of another origin, a form with two cookies, a redirect.
        let login = deployed.http.get(deployed.url("/login")).send().await.unwrap();
        let cookies = |answer: &reqwest::Response| {
            let all = answer.headers().get_all("set-cookie").iter();
            all.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join("; ")
        };
        let guest = cookies(&login);
        let page = login.text().await.unwrap();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = [("csrf", csrf), ("username", "admin"), ("password", ADMIN)];
        let entered =
            deployed.http.post(deployed.url("/login")).header("cookie", guest).form(&form).send().await.unwrap();
        assert_eq!((entered.status().as_u16(), entered.headers()["location"].to_str().unwrap()), (303, "/"));
        let session = cookies(&entered);
        let page = deployed.http.get(deployed.url("/companies")).header("cookie", &session).send().await.unwrap();
        let html = page.text().await.unwrap();
        assert!(html.contains("Ackermann &#34;Tools&#34; &#38; 🦀"), "{html}");

        // A file, compressed.
        let css =
            html.split("href=\"").find(|part| part.starts_with("/static/tabler")).unwrap().split('"').next().unwrap();
        let file = deployed.http.get(deployed.url(css)).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!((file.status().as_u16(), file.headers()["content-encoding"].to_str().unwrap()), (200, "gzip"));
        let (length, bytes) = (file.headers().get("content-length").cloned(), file.bytes().await.unwrap());
        assert!(bytes.len() > 10_000, "{length:?}");

        // Where somebody comes from is the gateway's to say, not the header's.
        let mut statuses = Vec::new();
        for n in 0..30 {
            let wrong = deployed.http.post(deployed.url("/api/token")).header("x-forwarded-for", format!("10.0.0.{n}"));
            let wrong =
                wrong.json(&json!({ "username": format!("nobody{n}"), "password": "wrong" })).send().await.unwrap();
            statuses.push(wrong.status().as_u16());
        }
        assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{statuses:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_too_long_for_lambda_says_how_to_page() {
    on_postgres(async |world: World| {
        let deployed = deployed(&world, None).await;
        deployed.set_up().await;
        let token = deployed.token("admin", ADMIN).await;
        let company = json!({ "account_number": "100", "name": "Ackermann" });
        let made = deployed.send(Method::POST, "/api/companies", &token, &company).await;
        assert_eq!(made.status(), 201);
        // A quotation mark is two characters in an answer, and four in the JSON around it.
        let description = "\"".repeat(10_000);
        for n in 0..160 {
            let asset =
                json!({ "hostname": format!("host-{n}"), "company_account_number": "100", "description": description });
            let made = deployed.send(Method::POST, "/api/assets", &token, &asset).await;
            assert_eq!(made.status(), 201, "{}", made.text().await.unwrap());
        }
        let whole = deployed.get("/api/assets", &token).await;
        assert_eq!(
            (whole.status().as_u16(), whole.headers()["content-type"].to_str().unwrap()),
            (400, "application/problem+json")
        );
        let problem = whole.json::<Value>().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], "page", "{problem}");
        let page = deployed.get("/api/assets?page=1&per_page=100", &token).await;
        assert_eq!(page.status(), 200);
        assert!(page.headers()["link"].to_str().unwrap().contains("rel=\"next\""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timers_event_brings_what_the_vendors_have_into_the_database() {
    on_postgres(async |world: World| {
        let deployed = deployed(&world, None).await;
        deployed.set_up().await;
        let size = Size { companies: 8, contacts: 40, devices: 60 };
        let (freshservice, datto) =
            (Freshservice::start(size, 2026).await.unwrap(), Datto::start(size, 2026).await.unwrap());
        let event: Value = serde_json::from_str(nexus_deployed::deployment::TIMER).unwrap();
        let variables = deployed.of_jobs(&freshservice, &datto);
        let variables = || variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for job in ["sync-freshservice", "sync-datto"] {
            let function = Function::start(job, &binaries().join(job), variables()).await.unwrap();
            let done = function.invoke(&event, EVENT).await.unwrap();
            assert_eq!(done["state"], "applied", "{done}\n{}", function.log().join("\n"));
            // A broken event is an error of the invocation, told clearly.
            let broken = function.invoke(&json!({ "source": "nexus" }), EVENT).await.unwrap_err();
            assert_eq!(broken, Failed::Error("BrokenEvent".into(), "the event has no text in \"detail-type\"".into()));
        }
        for (table, least) in [("companies", 5), ("contacts", 40), ("assets", 50)] {
            let (n,): (i64,) = world.db.one(Query::new(format!("SELECT count(*) FROM {table}"))).await.unwrap();
            assert!(n >= least, "{n} {table}");
        }
        let nothing = Function::start("sync-datto", &binaries().join("sync-datto"), []).await.unwrap_err();
        assert!(nothing.contains("NEXUS__SERVER__PUBLIC_URL is not set"), "{nothing}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_keeps_the_rules_in_step_and_publish_changes_sends_the_feed() {
    let (python, _) = template();
    let aws = Moto::start(python);
    on_postgres(async |world: World| {
        let deployed = deployed(&world, Some(&aws)).await;
        deployed.set_up().await;
        let address = aws.url().to_owned();
        let aws_says = |what: &[&str]| {
            let mut arguments = vec![what[0], &address];
            arguments.extend(&what[1..]);
            let done = python.run("events.py", &arguments);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            serde_json::from_slice::<Value>(&done.stdout).unwrap()
        };
        aws_says(&["prepare"]);
        let token = deployed.token("admin", ADMIN).await;
        for (schedule, enabled) in [("cron(0 4 * * ? *)", false), ("rate(6 hours)", true)] {
            let body = json!({ "schedule": schedule, "enabled": enabled });
            let set = deployed.send(Method::PUT, "/api/jobs/sync-datto", &token, &body).await;
            assert_eq!(set.status(), 200, "{}", set.text().await.unwrap());
            let rule = aws_says(&["rule", "nexus-sync-datto"]);
            let state = if enabled { "ENABLED" } else { "DISABLED" };
            assert_eq!((&rule["ScheduleExpression"], &rule["State"]), (&json!(schedule), &json!(state)));
            let target = json!([{ "Id": "sync-datto", "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:nexus-sync-datto" }]);
            assert_eq!(rule["Targets"], target);
        }
        let removed = deployed.send(Method::DELETE, "/api/sources/datto?records=keep", &token, &json!({})).await;
        assert_eq!(removed.status(), 200, "{}", removed.text().await.unwrap());
        assert_eq!(aws_says(&["rule", "nexus-sync-datto"])["State"], "DISABLED");
        let asked = deployed.send(Method::POST, "/api/jobs/sync-datto/runs", &token, &json!({})).await;
        assert_eq!(asked.status(), 202, "{}", asked.text().await.unwrap());
        let run_id = asked.json::<Value>().await.unwrap()["run_id"].clone();

        let functions = Functions::new(
            binaries(),
            BTreeMap::from(
                [
                    ("NEXUS__SERVER__PUBLIC_URL", deployed.gateway.url.as_str()),
                    ("NEXUS__NEXUS_AUTH__PASSWORD", JOBS),
                    ("NEXUS_EVENT_BUS", "nexus"),
                    ("AWS_ENDPOINT_URL", aws.url()),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
        );
        let timer: Value = serde_json::from_str(nexus_deployed::deployment::TIMER).unwrap();
        world.run("UPDATE jobs SET enabled = TRUE WHERE name = 'publish-changes'").await;
        let sent = functions.invoke("publish-changes", &timer, EVENT).await.unwrap();
        assert_eq!(sent["state"], "applied", "{sent}");
        let events = aws_says(&["received"]);
        let events = events.as_array().unwrap();
        let of = |kind: &str| events.iter().filter(|event| event["detail-type"] == kind).collect::<Vec<_>>();
        assert_eq!(of("run requested")[0]["detail"], json!({ "job": "sync-datto", "run_id": run_id }));
        let changes = of("record changed");
        assert_eq!(changes.len(), 2, "admin and the jobs' account: {events:#?}");
        assert_eq!((&changes[0]["source"], &changes[0]["detail"]["cursor"]), (&json!("nexus"), &json!(1)));

        // What EventBridge does not take is not saved, and a run that nobody hears of is not left waiting.
        drop(aws);
        let body = json!({ "schedule": "rate(1 hour)", "enabled": true });
        let refused = deployed.send(Method::PUT, "/api/jobs/sync-datto", &token, &body).await;
        assert_eq!(refused.status(), 503);
        let jobs = deployed.get("/api/jobs", &token).await.json::<Value>().await.unwrap();
        let job = jobs.as_array().unwrap().iter().find(|job| job["name"] == "sync-datto").unwrap();
        assert_eq!((&job["schedule"], &job["enabled"]), (&json!("rate(6 hours)"), &json!(false)));
    })
    .await;
}
