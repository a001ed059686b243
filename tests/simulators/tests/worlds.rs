//! The generated worlds: exact in size, the same for the same seed, and believable.

mod support;

use std::collections::HashSet;
use std::time::Instant;

use nexus_simulators::{DELETED_DEVICES, Datto, Freshservice, Size};
use support::SMALL;

#[tokio::test]
async fn the_size_is_met_exactly() {
    for size in [Size { companies: 0, contacts: 3, devices: 0 }, Size { companies: 1, contacts: 1, devices: 1 }, SMALL]
    {
        let freshservice = Freshservice::start(size, 5).await.expect("a port");
        freshservice.edit(|world| {
            assert_eq!(world.departments.len(), size.companies);
            let people = world.requesters.iter().filter(|requester| !requester.is_agent).count();
            assert_eq!(people, size.contacts);
        });
        let datto = Datto::start(size, 5).await.expect("a port");
        datto.edit(|world| {
            assert_eq!(world.sites.len(), size.companies + 1);
            assert_eq!(world.sites.last().map(|site| site.uid.as_str()), Some(DELETED_DEVICES));
            assert_eq!(world.devices.len(), size.devices);
        });
    }
}

#[tokio::test]
async fn the_same_seed_tells_the_same_world_and_another_seed_another() {
    let one = Freshservice::start(SMALL, 9).await.expect("a port").edit(|world| world.clone());
    let same = Freshservice::start(SMALL, 9).await.expect("a port").edit(|world| world.clone());
    let other = Freshservice::start(SMALL, 10).await.expect("a port").edit(|world| world.clone());
    assert_eq!(one.departments, same.departments);
    assert_eq!(one.requesters, same.requesters);
    assert_ne!(one.departments, other.departments);
    let one = Datto::start(SMALL, 9).await.expect("a port").edit(|world| world.clone());
    let same = Datto::start(SMALL, 9).await.expect("a port").edit(|world| world.clone());
    assert_eq!(one.sites, same.sites);
    assert_eq!(one.devices, same.devices);
}

#[tokio::test]
async fn both_vendors_tell_of_the_same_companies() {
    let size = Size { devices: 0, ..Size::default() };
    let numbers: Vec<Option<i64>> = Freshservice::start(size, 3)
        .await
        .expect("a port")
        .edit(|world| world.departments.iter().map(nexus_simulators::Department::account_number).collect());
    let given: Vec<i64> = numbers.iter().copied().flatten().collect();
    assert_eq!(given.len(), 198, "one in a hundred has no number");
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len(), "numbers are unique");
    assert!(given.iter().all(|number| (100_000..1_000_000).contains(number)));

    let sites = Datto::start(size, 3).await.expect("a port").edit(|world| world.sites.clone());
    let mut without = 0;
    for (number, site) in numbers.iter().zip(&sites) {
        match site.variable("AccountNumber") {
            Some(value) => assert_eq!(Some(value), number.map(|number| number.to_string()).as_deref()),
            None => without += 1,
        }
    }
    assert_eq!(without, 6, "four sites and two companies");
}

#[tokio::test]
async fn the_people_are_as_varied_as_real_ones() {
    let size = Size { devices: 0, ..Size::default() };
    let people = Freshservice::start(size, 3).await.expect("a port").edit(|world| world.requesters.clone());
    assert!(people.iter().any(|person| person.department_ids.is_none() && person.department_names.is_none()));
    assert!(people.iter().any(|person| person.department_ids.as_deref() == Some(&[])));
    assert!(people.iter().any(|person| person.department_ids.as_ref().is_some_and(|ids| ids.len() == 2)));
    assert!(people.iter().any(|person| person.primary_email.is_none()));
    assert!(people.iter().any(|person| !person.active));
    assert!(people.iter().any(|person| person.is_agent));
    assert!(people.iter().any(|person| person.last_name.is_none()));
    assert!(people.iter().any(|person| !person.first_name.is_ascii()));
    let emails: Vec<&String> = people.iter().filter_map(|person| person.primary_email.as_ref()).collect();
    assert!(emails.iter().all(|email| email.is_ascii() && email.contains('@')));
    assert_eq!(emails.iter().collect::<HashSet<_>>().len(), emails.len(), "addresses are unique");
    assert!(people.windows(2).all(|pair| pair[0].first_name <= pair[1].first_name), "ordered as the vendor lists them");
}

#[tokio::test]
async fn the_devices_are_as_varied_as_real_ones() {
    let size = Size { contacts: 0, ..Size::default() };
    let devices = Datto::start(size, 3).await.expect("a port").edit(|world| world.devices.clone());
    let runs = |name: &str| devices.iter().any(|it| it.operating_system.as_ref().is_some_and(|os| os.contains(name)));
    assert!(runs("Windows 11") && runs("Windows Server") && runs("macOS") && runs("Ubuntu") && runs("ESXi"));
    for ordinal in [4, 6, 7] {
        assert!(devices.iter().any(|device| device.udf.iter().any(|(held, _)| *held == ordinal)), "udf{ordinal}");
    }
    assert!(devices.iter().any(|device| device.antivirus.is_none() && device.operating_system.is_none()));
    assert_eq!(devices.iter().map(|device| &device.uid).collect::<HashSet<_>>().len(), devices.len());
    let hostnames: HashSet<_> = devices.iter().map(|device| &device.hostname).collect();
    assert!(hostnames.len() < devices.len(), "host names are not unique");
}

#[tokio::test]
async fn a_large_world_is_made_quickly() {
    let begun = Instant::now();
    let datto = Datto::start(Size { companies: 1_000, contacts: 0, devices: 100_000 }, 1).await.expect("a port");
    let freshservice = Freshservice::start(Size::default(), 1).await.expect("a port");
    let took = begun.elapsed();
    // Ten times what it takes on a slow machine: this is to notice a mistake in the order, not a bad day.
    assert!(took.as_secs() < 5, "{took:?}");
    assert_eq!(datto.call_count() + freshservice.call_count(), 0);
}
