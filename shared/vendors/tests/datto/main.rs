//! The Datto client against the simulated platform.

#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]

mod writing;

use std::time::Duration;

use nexus_simulators::{DELETED_DEVICES, Datto as Vendor, Fault, RetryAfter, Size, Text, UdfForm};
use nexus_vendors::datto::{Datto, Device, Pages, base_url};
use nexus_vendors::{BaseUrl, ConfigError, Error, TransportConfig};
use secrecy::SecretString;

fn config() -> TransportConfig {
    TransportConfig { backoff: Duration::from_millis(2), ..TransportConfig::default() }
}

fn client(vendor: &Vendor) -> Datto {
    client_with(vendor, &config())
}

fn client_with(vendor: &Vendor, config: &TransportConfig) -> Datto {
    let base = BaseUrl::parse(&vendor.base_url()).unwrap();
    // As people paste them.
    let [key, secret] = [vendor.api_key(), vendor.api_secret()].map(|text| SecretString::from(format!(" {text}\n")));
    Datto::new(base, &key, &secret, config).unwrap()
}

async fn sweep<T>(mut pages: Pages<T>) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        assert_eq!((page.quarantined.len(), page.duplicates), (0, 0));
        all.extend(page.records);
    }
    Ok(all)
}

async fn vendor() -> Vendor {
    Vendor::start(Size { companies: 6, contacts: 0, devices: 600 }, 11).await.unwrap()
}

fn tokens(vendor: &Vendor) -> usize {
    vendor.calls().iter().filter(|call| call.path.contains("/auth/")).count()
}

#[tokio::test]
async fn sites_devices_and_variables_are_read_with_one_token() {
    let vendor = vendor().await;
    let datto = client(&vendor);
    let sites = sweep(datto.sites()).await.unwrap();
    let state = vendor.edit(|state| state.clone());
    assert_eq!(sites.len(), state.sites.len());
    assert_eq!(
        sites.iter().filter(|site| site.is_pseudo()).map(|site| site.uid.as_str()).collect::<Vec<_>>(),
        [DELETED_DEVICES]
    );
    let devices = sweep(datto.devices()).await.unwrap();
    assert_eq!(devices.len(), 600);
    let mut by_site = 0;
    for site in sites.iter().filter(|site| !site.is_pseudo()) {
        let own: Vec<Device> = sweep(datto.devices_of(&site.uid)).await.unwrap();
        assert_eq!(own.len() as u64, site.devices.unwrap());
        by_site += own.len();
        let told = state.sites.iter().find(|one| one.uid == site.uid).unwrap();
        let number = datto
            .variables_of(&site.uid)
            .await
            .unwrap()
            .into_iter()
            .find(|one| one.name.as_deref() == Some("AccountNumber"));
        assert_eq!(number.and_then(|one| one.value).as_deref(), told.variable("AccountNumber"));
    }
    assert_eq!(by_site, 600);
    assert_eq!(tokens(&vendor), 1);
    assert_eq!(datto.calls().retries, 0);
    let device = devices.iter().find(|device| device.user_defined.get(6).is_some()).unwrap();
    let told = state.devices.iter().find(|one| one.uid == device.uid).unwrap();
    assert_eq!(device.last_seen.unwrap().as_millisecond(), told.last_seen.unwrap());
    assert_eq!(device.hostname.as_deref(), told.hostname.as_deref());
    let secret = device.user_defined.get(6).unwrap();
    assert!(!format!("{device:?}").contains(secret), "user-defined fields hold secrets");
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let vendor = vendor().await;
    let datto = client(&vendor);
    sweep(datto.sites()).await.unwrap();
    vendor.revoke_tokens();
    sweep(datto.devices()).await.unwrap();
    assert_eq!(tokens(&vendor), 2);
    // One that ends at once does not send the client round in circles.
    vendor.set_token_lifetime(Duration::ZERO);
    vendor.revoke_tokens();
    assert_eq!(sweep(datto.sites()).await.unwrap_err(), Error::Auth);
    assert_eq!(sweep(datto.sites()).await.unwrap_err(), Error::Auth);
    assert!(tokens(&vendor) <= 4);
}

#[tokio::test]
async fn wrong_keys_are_refused_without_showing_them() {
    let vendor = vendor().await;
    let base = BaseUrl::parse(&vendor.base_url()).unwrap();
    let secret = SecretString::from("s3cretThatMustNotLeak");
    let datto = Datto::new(base.clone(), &vendor.api_key().to_owned().into(), &secret, &config()).unwrap();
    let error = sweep(datto.sites()).await.unwrap_err();
    assert_eq!(error, Error::Auth);
    assert!(!format!("{error} {error:?} {datto:?}").contains("s3cret"));
    for bad in ["", " ", "a b", "a\nb"] {
        assert_eq!(
            Datto::new(base.clone(), &secret, &bad.to_owned().into(), &config()).unwrap_err(),
            ConfigError::ApiKey
        );
    }
}

#[tokio::test]
async fn the_platform_is_an_address_of_the_vendor() {
    for address in [
        "https://pinotage-api.centrastage.net",
        "https://pinotage-api.centrastage.net/api/",
        " https://syrah-api.centrastage.net/ ",
    ] {
        assert!(base_url(address).is_ok(), "{address}");
    }
    for address in [
        "https://example.com",
        "https://centrastage.net.example.com",
        "http://pinotage-api.centrastage.net",
        "pinotage",
        "",
    ] {
        assert!(base_url(address).is_err(), "{address}");
    }
}

#[tokio::test]
async fn an_answer_without_its_envelope_and_a_next_link_astray_are_no_ends() {
    let vendor = vendor().await;
    for (fault, told) in [
        (Fault::NextLinkTo("https://elsewhere.example".into()), "leads away"),
        (Fault::RepeatingNextLink, "already read"),
        (Fault::MissingKey("pageDetails".into()), "pageDetails: missing"),
        (Fault::MissingKey("devices".into()), "devices: missing"),
        (Fault::NotJson, "cannot be read"),
        (Fault::Status(403), "403"),
        (Fault::Status(404), "404"),
    ] {
        vendor.fault(fault.clone().on("/account/devices"));
        let error = sweep(client(&vendor).devices()).await.unwrap_err().to_string();
        assert!(error.contains(told), "{fault:?}: {error}");
        vendor.clear_faults();
    }
}

#[tokio::test]
async fn what_fails_in_passing_is_asked_again() {
    let vendor = vendor().await;
    for fault in [Fault::Status(500), Fault::Status(401), Fault::Dropped, Fault::RateLimited(RetryAfter::Seconds(0))] {
        vendor.fault(fault.clone().on("/account/devices").page(1).times(1));
        assert_eq!(sweep(client(&vendor).devices()).await.unwrap().len(), 600, "{fault:?}");
        vendor.clear_faults();
    }
}

#[tokio::test]
async fn user_defined_fields_come_in_every_form() {
    let vendor = vendor().await;
    vendor.edit(|state| state.devices[0].udf = vec![(4, Text::from("Administrator"))]);
    for (form, told) in [
        (UdfForm::Absent, None),
        (UdfForm::Null, None),
        (UdfForm::Thirty, Some("Administrator")),
        (UdfForm::ThreeHundred, Some("Administrator")),
        (UdfForm::List, Some("Administrator")),
    ] {
        vendor.fault(Fault::Udf(form));
        let devices = sweep(client(&vendor).devices()).await.unwrap();
        assert_eq!((devices[0].user_defined.get(4), devices[0].user_defined.get(5)), (told, None), "{form:?}");
        vendor.clear_faults();
    }
}
