//! The timer in the process: what EventBridge does for the deployed jobs.

use std::time::Duration;

use jiff::Timestamp;
use nexus_core::config::Config;
use nexus_core::instant;
use nexus_core::schedule::Schedule;
use nexus_db::Db;
use nexus_db::jobs::{self as known, Job};
use nexus_events::{JOB_SET, envelope};
use nexus_jobs::{Event, Silent};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::jobs::{self, Jobs};
use crate::{Instance, RunnerError};

/// How often the timer looks, unless it is told that a job was set.
const LOOK: Duration = Duration::from_secs(15);

/// Starts each enabled job when its schedule says so, one after another, for ever.
///
/// `news` is what goes out on the bus: a job that was set is looked at at once.
pub async fn run(
    instance: &Instance,
    db: &Db,
    jobs: &Jobs,
    mut news: UnboundedReceiver<Value>,
) -> Result<(), RunnerError> {
    let mut tried: Vec<(String, Timestamp)> = Vec::new();
    let since = db.clock().now();
    loop {
        let now = db.clock().now();
        let all = known::list(db).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the timer cannot read the jobs");
            Vec::new()
        });
        for job in due(&all, &instance.config, &tried, (since, now)) {
            tried.retain(|(name, _)| *name != job.name);
            tried.push((job.name.clone(), now));
            fire(job, jobs, now).await;
        }
        let _ = timeout(LOOK, set(&mut news)).await;
    }
}

/// Until a job was set.
async fn set(news: &mut UnboundedReceiver<Value>) {
    while let Some(event) = news.recv().await {
        if event["detail-type"] == JOB_SET {
            return;
        }
    }
    // Nobody is left who could set one.
    std::future::pending::<()>().await;
}

/// The jobs whose time has come, for a timer that has run since then. One that could not even begin is not tried again before
/// its next time.
fn due<'a>(
    all: &'a [Job],
    config: &Config,
    tried: &[(String, Timestamp)],
    (since, now): (Timestamp, Timestamp),
) -> Vec<&'a Job> {
    let mut due: Vec<&Job> = all
        .iter()
        .filter(|job| job.enabled && jobs::is_configured(&job.name, config))
        .filter(|job| {
            let Ok(schedule) = job.schedule.parse::<Schedule>() else {
                tracing::error!(job = job.name, schedule = job.schedule, "the schedule cannot be read");
                return false;
            };
            let begun = job.last_started_at.as_deref().and_then(instant::parse);
            let tried = tried.iter().find(|(name, _)| *name == job.name).map(|(_, at)| *at);
            schedule.next(begun.max(tried), since, now).is_some_and(|next| next <= now)
        })
        .collect();
    due.sort_by_key(|job| jobs::NAMES.iter().position(|name| *name == job.name));
    due
}

async fn fire(job: &Job, jobs: &Jobs, now: Timestamp) {
    let ended = match Event::decode(&scheduled_event(&job.name, now)) {
        Ok(event) => jobs.run(&job.name, &event, &Silent).await,
        Err(error) => Err(RunnerError::Usage(error.to_string())),
    };
    match ended {
        Ok(run) => tracing::info!(job = job.name, run = run.id, state = run.state.as_str(), "the timer ran a job"),
        Err(error) => tracing::error!(job = job.name, %error, "the timer could not run a job"),
    }
}

/// The very event that EventBridge sends to a rule's target (Amazon EventBridge user guide, "Scheduled events").
#[must_use]
pub fn scheduled_event(job: &str, now: Timestamp) -> Value {
    let rule = format!("arn:aws:events:local:000000000000:rule/nexus-{job}");
    let event = nexus_events::Event { detail_type: "Scheduled Event", detail: json!({}) };
    envelope("aws.events", &[rule], &event, now)
}

#[cfg(test)]
mod tests {
    use super::{due, scheduled_event};
    use nexus_core::config::Config;
    use nexus_db::jobs::Job;
    use nexus_events::Event;

    fn config(key: &str) -> Config {
        let text = format!("[freshservice]\napi_key = {key}\ndomain = acme\n");
        Config::parse(&text, []).unwrap()
    }

    fn job(schedule: &str, enabled: bool, last: Option<&str>) -> Job {
        Job {
            name: "sync-freshservice".into(),
            title: String::new(),
            schedule: schedule.into(),
            enabled,
            last_started_at: last.map(str::to_owned),
        }
    }

    #[test]
    fn a_job_is_due_when_enabled_configured_and_its_time_has_come() {
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        let since = "2026-03-02T00:00:00Z".parse().unwrap();
        let is_due = |job: Job, key: &str| !due(&[job], &config(key), &[], (since, now)).is_empty();
        assert!(is_due(job("rate(1 day)", true, None), "k"));
        assert!(is_due(job("rate(1 day)", true, Some("2026-03-01T08:00:00.000Z")), "k"));
        assert!(!is_due(job("rate(1 day)", true, Some("2026-03-01T08:00:01.000Z")), "k"));
        assert!(!is_due(job("rate(1 day)", false, None), "k"));
        assert!(!is_due(job("rate(1 day)", true, None), ""));
        assert!(is_due(job("cron(0 8 * * ? *)", true, Some("2026-03-01T08:00:00.000Z")), "k"));
        assert!(is_due(job("cron(0 7 * * ? *)", true, None), "k"));
        assert!(!is_due(job("cron(0 7 * * ? *)", true, Some("2026-03-02T07:00:05.000Z")), "k"));
        assert!(!is_due(job("cron(1 8 * * ? *)", true, None), "k"));
        assert!(!is_due(job("whenever", true, None), "k"));
    }

    #[test]
    fn companies_come_before_what_is_tied_to_them() {
        let text = "[freshservice]\napi_key = k\ndomain = acme\n[datto]\npublic_key = k\nsecret_key = s\n\
                    api_endpoint = https://pinotage-api.centrastage.net\n";
        let config = Config::parse(text, []).unwrap();
        let datto = Job { name: "sync-datto".into(), ..job("rate(1 day)", true, None) };
        let all = [datto, job("rate(1 day)", true, None)];
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        let names: Vec<&str> = due(&all, &config, &[], (now, now)).into_iter().map(|job| job.name.as_str()).collect();
        assert_eq!(names, ["sync-freshservice", "sync-datto"]);
    }

    #[test]
    fn a_job_that_could_not_begin_waits_for_its_next_time() {
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        let tried = [("sync-freshservice".to_owned(), "2026-03-02T07:59:00Z".parse().unwrap())];
        assert!(due(&[job("rate(1 day)", true, None)], &config("k"), &tried, (now, now)).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_is_set_is_looked_at_at_once() {
        let bus = nexus_events::Bus::local();
        let mut news = bus.subscribe();
        let began = tokio::time::Instant::now();
        bus.send(&[Event::run_requested("sync-datto", 1), Event::job_set("sync-datto", "rate(1 hour)", true)])
            .await
            .unwrap();
        tokio::time::timeout(super::LOOK, super::set(&mut news)).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 0);
        bus.send(&[Event::run_requested("sync-datto", 2)]).await.unwrap();
        assert!(tokio::time::timeout(super::LOOK, super::set(&mut news)).await.is_err(), "a run is no change of a job");
    }

    #[test]
    fn the_timer_sends_what_eventbridge_sends() {
        let event = scheduled_event("sync-freshservice", "2026-03-02T08:00:00Z".parse().unwrap());
        assert_eq!(event["time"], "2026-03-02T08:00:00Z");
        assert_eq!(nexus_jobs::Event::decode(&event).unwrap(), nexus_jobs::Event::schedule());
    }
}
