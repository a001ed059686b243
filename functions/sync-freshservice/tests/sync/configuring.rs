//! The job of a configuration.

use nexus_core::config::Config;
use sync_freshservice::{NotConfigured, job};

const KEY: &str = "k3yThatMustNotLeak";

fn config(section: &str) -> Config {
    Config::parse(&format!("[freshservice]\n{section}"), []).expect("a configuration")
}

#[test]
fn without_a_key_there_is_no_job_and_the_section_is_named() {
    let refused = job(&config("domain = acme")).unwrap_err();
    assert_eq!(refused, NotConfigured::NoKey);
    assert!(refused.to_string().contains("[freshservice] api_key"), "{refused}");
}

#[test]
fn a_section_that_cannot_be_used_is_refused_at_once_and_without_its_key() {
    for section in
        [format!("api_key = {KEY}\ndomain = helpdesk.acme.example"), format!("api_key = {KEY} {KEY}\ndomain = acme")]
    {
        let refused = job(&config(&section)).unwrap_err();
        assert!(matches!(refused, NotConfigured::Unusable(_)), "{section}: {refused:?}");
        assert!(refused.to_string().contains("[freshservice]"), "{refused}");
        assert!(!format!("{refused} {refused:?}").contains(KEY), "{refused:?}");
    }
}

#[test]
fn a_job_does_not_show_its_key() {
    for section in ["domain = acme", "domain = acme.freshservice.com", "base_url = http://127.0.0.1:9"] {
        let job = job(&config(&format!("api_key = {KEY}\n{section}"))).unwrap();
        assert!(!format!("{job:?} {job:#?}").contains(KEY), "{job:?}");
    }
}
