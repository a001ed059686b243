//! What Datto RMM says of the sites that are tied to companies.

use std::collections::HashMap;

use futures_util::{StreamExt as _, stream};
use nexus_jobs::Sink;
use nexus_jobs::datto::{AT_A_TIME, NoAccess};
use nexus_vendors::Error;
use nexus_vendors::datto::{Datto, Variable};

use crate::job::ReadError;

/// The names of the sites, by uid. One that cannot be read, or has none, is called otherwise.
pub(crate) async fn names(vendor: &Datto, sink: &mut Sink<'_>) -> Result<HashMap<String, String>, ReadError> {
    sink.step("Sites", None);
    let (mut names, mut pages) = (HashMap::new(), vendor.sites());
    loop {
        let page = pages.next().await;
        sink.vendor_calls(vendor.calls().calls);
        match page.map_err(|error| failed(error, "sites"))? {
            Some(page) => names.extend(page.records.into_iter().filter_map(|site| Some((site.uid, site.name?)))),
            None => return Ok(names),
        }
    }
}

/// The variables of each of these sites, in their order, or why they could not be read.
pub(crate) async fn variables<'a>(
    vendor: &Datto,
    sink: &mut Sink<'_>,
    uids: Vec<&'a str>,
) -> Result<Vec<(&'a str, Result<Vec<Variable>, Error>)>, ReadError> {
    sink.step("Account numbers", Some(uids.len() as u64));
    // Boxed, so that the future of the whole run stays small.
    let mut reading = stream::iter(uids.into_iter().map(|uid| async move { (uid, vendor.variables_of(uid).await) }))
        .buffered(AT_A_TIME)
        .boxed();
    let mut read = Vec::new();
    while let Some((uid, variables)) = reading.next().await {
        sink.vendor_calls(vendor.calls().calls);
        if let Err(error) = &variables
            && let Some(refused) = NoAccess::of(error, "the variables of sites")
        {
            return Err(refused.into());
        }
        read.push((uid, variables));
    }
    Ok(read)
}

fn failed(error: Error, list: &'static str) -> ReadError {
    NoAccess::of(&error, list).map_or(ReadError::NotRead { list, error }, ReadError::from)
}
