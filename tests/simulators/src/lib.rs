//! Freshservice and Datto RMM as small HTTP servers **with state**, on 127.0.0.1, for tests and for the demo.
//!
//! Both are filled from [`Size`] and a seed. The same size and seed tell the same companies on both sides: a Datto site
//! carries, in its variable `AccountNumber`, the number that its Freshservice department has in
//! `custom_fields.account_number`.
//!
//! A test changes the world with [`Freshservice::edit`] and [`Datto::edit`], makes it misbehave with [`Fault`]s, and asks
//! afterwards what was called.
//!
//! ```no_run
//! use nexus_simulators::{Fault, Freshservice, RetryAfter, Size};
//! # async fn example() -> std::io::Result<()> {
//! let vendor = Freshservice::start(Size { companies: 20, contacts: 250, devices: 0 }, 1).await?;
//! vendor.edit(|world| world.departments[0].name = "Renamed Ltd".to_owned());
//! vendor.fault(Fault::Status(403).on("/requesters").page(3).times(1));
//! vendor.fault(Fault::RateLimited(RetryAfter::Seconds(1)).on("/departments").after(2));
//! // … read `vendor.base_url()` with `vendor.api_key()` …
//! assert_eq!(vendor.calls_to("/requesters"), 3);
//! # Ok(())
//! # }
//! ```
//!
//! What does not belong here: anything of Nexus, but for the names of the variables with which it is led here. The simulators know
//! the vendors' documentation and nothing else, so that they can contradict the clients.

mod companies;
mod datto;
mod faults;
mod freshservice;
mod quota;
mod random;
mod server;
mod shape;
mod words;

pub use datto::{
    Account, Antivirus, DELETED_DEVICES, Datto, DattoState, Device, DeviceType, ExistingVariable, PatchManagement,
    Site, Text, Variable,
};
pub use faults::{DateForm, Fault, FaultId, Pick, RetryAfter, Rule, UdfForm};
pub use freshservice::{
    CustomFieldWrites, Department, DepartmentField, Freshservice, FreshserviceState, Requester, Workspace,
};
pub use quota::{DattoQuota, FreshserviceQuota, IpBlock};
pub use server::Call;

/// The variables of a section of Nexus's configuration.
fn variables(section: &str, keys: &[(&str, &str)], pace: Option<u32>) -> Vec<(String, String)> {
    let pace = pace.map(|calls| ("REQUESTS_PER_MINUTE", calls.to_string()));
    let keys = keys.iter().map(|&(key, value)| (key, value.to_owned())).chain(pace);
    keys.map(|(key, value)| (format!("NEXUS__{section}__{key}"), value)).collect()
}

/// How much world to generate. Every count is met exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Departments in Freshservice, and as many sites in Datto, besides the pseudo-site for deleted devices.
    pub companies: usize,
    /// Requesters in Freshservice who are not agents. One agent per hundred comes on top; a list shows agents only when
    /// it is asked with `include_agents=true`.
    pub contacts: usize,
    /// Devices in Datto, spread unevenly over the sites; none when there is no company.
    pub devices: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { companies: 200, contacts: 5_000, devices: 10_000 }
    }
}
