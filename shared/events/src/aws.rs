//! The bus of a deployment: Amazon EventBridge.

use std::collections::VecDeque;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::config::{BehaviorVersion, Region};
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, RuleState, Target};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use thiserror::Error;

use crate::event::{Event, SOURCE};
use crate::{ScheduleError, SendError};

/// Entries of one call, and bytes of all of them (Amazon EventBridge API reference, `PutEvents`).
const TOGETHER: usize = 10;
const BYTES: usize = 256 * 1024;
/// A call with all its attempts; a route group has less than 30 seconds for its answer.
const PATIENCE: Duration = Duration::from_secs(12);

/// A variable without which EventBridge cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} is not set")]
pub struct Unset(pub &'static str);

/// EventBridge, as one function may use it.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    client: Client,
    bus: String,
    /// What the names of the rules begin with, and the ARNs of the jobs' functions; both end with the job's name.
    rules: Option<(String, String)>,
}

impl Aws {
    pub(crate) fn new<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Unset> {
        let need = |name| variable(name).ok_or(Unset(name));
        let credentials = Credentials::new(
            need("AWS_ACCESS_KEY_ID")?,
            need("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        let mut config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(need("AWS_REGION")?.to_owned()))
            .credentials_provider(credentials)
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
            .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https());
        if let Some(endpoint) = variable("AWS_ENDPOINT_URL_EVENTBRIDGE").or_else(|| variable("AWS_ENDPOINT_URL")) {
            config = config.endpoint_url(endpoint);
        }
        let rules = match (variable("NEXUS_RULE_PREFIX"), variable("NEXUS_JOB_FUNCTION_ARN_PREFIX")) {
            (Some(rules), Some(functions)) => Some((rules.to_owned(), functions.to_owned())),
            _ => None,
        };
        Ok(Self { client: Client::from_conf(config.build()), bus: need("NEXUS_EVENT_BUS")?.to_owned(), rules })
    }

    /// Calls with as many events as one takes, in their order. Of a call in which some were not taken the first of them
    /// counts: those behind it are sent again.
    pub(crate) async fn send(&self, events: &[Event]) -> Result<(), SendError> {
        let failed = |at, reason| SendError { at, of: events.len(), reason };
        let mut entries: VecDeque<_> = events.iter().map(|event| self.entry(event)).collect();
        let mut at = 0;
        while !entries.is_empty() {
            let n = fitting(&entries);
            let entries = entries.drain(..n).collect();
            let sent = self.client.put_events().set_entries(Some(entries)).send().await;
            let sent = sent.map_err(|error| failed(at, DisplayErrorContext(error).to_string()))?;
            let refused = sent.entries().iter().position(|entry| entry.error_code().is_some());
            if let Some(one) = refused {
                let entry = &sent.entries()[one];
                let told = [entry.error_code(), entry.error_message()].map(Option::unwrap_or_default).join(": ");
                return Err(failed(at + one, told));
            }
            at += n;
        }
        Ok(())
    }

    fn entry(&self, event: &Event) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.detail_type)
            .detail(event.detail.to_string())
            .build()
    }

    /// Brings the rule of a job to its schedule, makes the job's function its target, and switches it.
    pub(crate) async fn schedule(&self, job: &str, schedule: &str, enabled: bool) -> Result<(), ScheduleError> {
        let Some((rules, functions)) = &self.rules else {
            return Err(ScheduleError("NEXUS_RULE_PREFIX or NEXUS_JOB_FUNCTION_ARN_PREFIX is not set".to_owned()));
        };
        let rule = format!("{rules}{job}");
        let state = if enabled { RuleState::Enabled } else { RuleState::Disabled };
        let put = self.client.put_rule().name(&rule).schedule_expression(schedule).state(state);
        let put = put.description(format!("Starts {job}")).send().await;
        put.map_err(|error| ScheduleError(DisplayErrorContext(error).to_string()))?;
        let target = Target::builder().id(job).arn(format!("{functions}{job}")).build();
        let target = target.map_err(|error| ScheduleError(error.to_string()))?;
        let put = self.client.put_targets().rule(&rule).targets(target).send().await;
        let put = put.map_err(|error| ScheduleError(DisplayErrorContext(error).to_string()))?;
        match put.failed_entries().first() {
            Some(entry) => Err(ScheduleError(entry.error_message().unwrap_or("the target was not taken").to_owned())),
            None => Ok(()),
        }
    }
}

/// How many of the first entries fit into one call; at least one.
fn fitting<'a>(entries: impl IntoIterator<Item = &'a PutEventsRequestEntry>) -> usize {
    let mut bytes = 0;
    let fit = entries.into_iter().take(TOGETHER).take_while(|entry| {
        let texts = [entry.source(), entry.detail_type(), entry.detail()];
        bytes += texts.map(|text| text.unwrap_or_default().len()).iter().sum::<usize>();
        bytes <= BYTES
    });
    fit.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::{Aws, PutEventsRequestEntry, Unset, fitting};

    fn entry(bytes: usize) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder().detail_type("t").detail("x".repeat(bytes)).build()
    }

    #[test]
    fn a_call_takes_ten_events_or_as_many_as_its_bytes_allow() {
        let small = vec![entry(10); 25];
        assert_eq!((fitting(&small), fitting(&small[20..])), (10, 5));
        assert_eq!(fitting(&vec![entry(100_000); 4]), 2);
        assert_eq!(fitting(&[entry(300_000), entry(1)]), 1);
    }

    #[test]
    fn what_is_not_set_is_named() {
        let with = |name: &str| Aws::new(|asked| (asked != name).then_some("x")).map(drop);
        for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "NEXUS_EVENT_BUS"] {
            assert_eq!(with(name).unwrap_err().to_string(), format!("{name} is not set"));
        }
        assert_eq!(with("AWS_SESSION_TOKEN"), Ok::<(), Unset>(()));
    }
}
