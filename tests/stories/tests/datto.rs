//! The Datto sync from the vendor to the directory: sites and their companies, devices, and what becomes of those that go.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use jiff::SignedDuration;
use nexus_core::sync::{Run, RunState};
use nexus_jobs::Event;
use nexus_simulators::{Datto, Device, Fault, Site, Size, Text, Variable};
use nexus_test_databases::{World, both};
use nexus_tests::{Caller, Nexus, Syncing};
use serde_json::{Value, json};

const NOTHING: Size = Size { companies: 0, contacts: 0, devices: 0 };
const ALPHA: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const BRAVO: &str = "bbbbbbbb-0000-4000-8000-000000000002";
const NOBODY: &str = "cccccccc-0000-4000-8000-000000000003";

fn variable(id: i64, value: &str) -> Variable {
    Variable { id, name: Some("AccountNumber".into()), value: Some(value.to_owned()), masked: Some(false) }
}

fn site(id: i64, uid: &str, name: &str, number: Option<&str>) -> Site {
    let variables = number.map(|number| variable(id * 10, number)).into_iter().collect();
    Site { variables, ..Site::new(id, uid, name) }
}

fn uid(id: i64) -> String {
    format!("dddddddd-0000-4000-8000-{id:012}")
}

fn device(id: i64, site: &Site, hostname: &str) -> Device {
    Device::new(id, &uid(id), site, hostname)
}

/// Two companies with a site each, a site of nobody, and five devices.
async fn small(world: World) -> Syncing<Datto> {
    let vendor = Datto::start(NOTHING, 1).await.unwrap();
    vendor.edit(|state| {
        let sites = [
            site(1, ALPHA, "Alpha Office", Some("100001")),
            site(2, BRAVO, "Bravo", Some(" 100002 ")),
            site(3, NOBODY, "Unknown", None),
        ];
        state.devices = vec![
            device(11, &sites[0], "A-PC1"),
            device(12, &sites[0], "A-PC2"),
            device(13, &sites[0], "A-PC3"),
            device(21, &sites[1], "B-PC1"),
            device(31, &sites[2], "X-PC1"),
        ];
        state.sites.splice(0..0, sites);
    });
    let nexus = Nexus::serve(world).await;
    nexus.company("100001", "Alpha").await;
    nexus.company("100002", "Bravo").await;
    Syncing::new(nexus, vendor).await
}

fn count(run: &Run, entity: &str, what: &str) -> u64 {
    run.counts.get(entity).and_then(|counts| counts.get(what)).copied().unwrap_or(0)
}

fn gaps(run: &Run) -> Vec<(&str, &str)> {
    run.gaps.iter().map(|gap| (gap.name.as_str(), gap.reason.as_str())).collect()
}

/// The company numbers of the live devices, by hostname.
async fn devices(caller: &Caller<'_>) -> Vec<(String, Value)> {
    let all = caller.get("/api/assets?sort=hostname").await.json();
    let one = |asset: &Value| (asset["hostname"].as_str().unwrap().to_owned(), asset["company_account_number"].clone());
    all.as_array().unwrap().iter().map(one).collect()
}

async fn named(caller: &Caller<'_>, hostname: &str) -> Value {
    caller.get(&format!("/api/assets?hostname={hostname}")).await.json()[0].clone()
}

async fn weeks(syncing: &Syncing<Datto>, weeks: i64) -> Run {
    syncing.nexus.world.clock.advance(SignedDuration::from_hours(weeks * 7 * 24));
    syncing.run().await
}

both! {
    async fn devices_arrive_with_the_companies_of_their_sites(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| {
            let pc = state.device(&uid(11)).unwrap();
            pc.udf = vec![(4, Text::from("Administrator, it")), (6, Text::from("1099511627776")), (7, Text::from("Laptop"))];
            pc.last_seen = Some(1_770_000_000_000);
            pc.operating_system = Some("Windows 11".into());
        });
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Applied, "{run:?}");
        assert_eq!((count(&run, "asset", "create"), count(&run, "company", "link"), count(&run, "company", "gap")), (5, 2, 1));
        assert_eq!(gaps(&run).len(), 1);
        assert_eq!(gaps(&run)[0].0, "Unknown");
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let number = |n: &str, company: &str| (n.to_owned(), json!(company));
        assert_eq!(devices(&tech).await, [
            number("A-PC1", "100001"), number("A-PC2", "100001"), number("A-PC3", "100001"), number("B-PC1", "100002"),
            ("X-PC1".to_owned(), Value::Null),
        ]);
        let pc = named(&tech, "A-PC1").await;
        for (field, value) in [
            ("datto_site_name", json!("Alpha Office")),
            ("enabled_administrators", json!("Administrator, it")),
            ("backup_data_bytes", json!(1_099_511_627_776_i64)),
            ("backup_usage_tb", json!("1.00")),
            ("device_type", json!("Laptop")),
            ("last_seen", json!("2026-02-02T02:40:00.000Z")),
            ("operating_system", json!("Windows 11")),
        ] {
            assert_eq!(pc[field], value, "{field}");
        }
        let company = tech.get("/api/companies/100001").await.json();
        assert_eq!((&company["datto_site_uid"], &company["name"]), (&json!(ALPHA), &json!("Alpha")));
        let again = syncing.run().await;
        assert_eq!((again.state, again.changeset_id, count(&again, "asset", "unchanged")), (RunState::Applied, None, 5));
        assert_eq!(gaps(&again).len(), 1, "a gap is told as long as it is there");
    }

    async fn a_site_that_gets_its_number_brings_its_devices_to_the_company(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| state.site(NOBODY).unwrap().variables = vec![variable(30, "100002")]);
        let run = syncing.run().await;
        assert_eq!((run.state, gaps(&run)), (RunState::Applied, vec![]), "{run:?}");
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(named(&tech, "X-PC1").await["company_account_number"], "100002");
        let company = tech.get("/api/companies/100002").await.json();
        assert_eq!(company["datto_site_uids"], json!([BRAVO, NOBODY]), "a company may have several sites");
    }

    async fn what_a_device_shows_by_itself_is_taken_over_and_fills_no_history(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let id = named(&tech, "A-PC1").await["id"].clone();
        let path = format!("/api/assets/{id}");
        let (before, list) = (tech.get(&path).await, tech.get("/api/assets").await);
        let written = syncing.nexus.written().await;
        let seen = |at: i64| syncing.vendor.edit(|state| {
            let pc = state.device(&uid(11)).unwrap();
            (pc.last_seen, pc.online) = (Some(at), Some(true));
        });
        seen(1_770_000_000_000);
        let look = syncing.run_for(&Event { dry_run: true, ..Event::manual(sync_datto::NAME) }).await.unwrap();
        assert_eq!((count(&look, "asset", "reading"), tech.get(&path).await.text), (1, before.text.clone()), "a dry run changes nothing");
        let run = syncing.run().await;
        assert_eq!((run.state, run.changeset_id, count(&run, "asset", "reading")), (RunState::Applied, None, 1), "{run:?}");
        let after = tech.get(&path).await;
        assert_eq!((&after.json()["last_seen"], &after.json()["online"]), (&json!("2026-02-02T02:40:00.000Z"), &json!(true)));
        assert_ne!(after.header("etag"), before.header("etag"), "whoever keeps a copy learns of it");
        assert_ne!(tech.get("/api/assets").await.header("etag"), list.header("etag"));
        assert_eq!(syncing.nexus.written().await, written, "it is no change in the feed");
        assert_eq!(count(&syncing.run().await, "asset", "unchanged"), 5);
        // With anything else it is told as a whole.
        seen(1_770_000_060_000);
        syncing.vendor.edit(|state| state.device(&uid(11)).unwrap().operating_system = Some("Windows 12".into()));
        assert_eq!(count(&syncing.run().await, "asset", "update"), 1);
        let change = tech.get("/api/changes").await.json()["changes"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(change["after"], json!({"last_seen": "2026-02-02T02:41:00.000Z", "operating_system": "Windows 12"}));
        // And what a person pinned stays.
        tech.put(&format!("{path}/pins/last_seen"), &Value::Null).await;
        seen(1_770_000_120_000);
        syncing.run().await;
        assert_eq!(tech.get(&path).await.json()["last_seen"], "2026-02-02T02:41:00.000Z");
    }

    async fn a_site_that_a_person_ties_to_a_company_stays_there(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let sites = async |number: &str| {
            let company = tech.get(&format!("/api/companies/{number}")).await.json();
            (company["datto_site_uids"].clone(), company["tied_site_uids"].clone())
        };
        // A site of nobody, and one whose number says another company.
        for uid in [NOBODY, ALPHA] {
            let tied = tech.put(&format!("/api/companies/100002/sites/{uid}"), &Value::Null).await;
            assert_eq!(tied.status, 200, "{}", tied.text);
        }
        assert_eq!(sites("100002").await, (json!([ALPHA, BRAVO, NOBODY]), json!([ALPHA, NOBODY])), "it shows at once");
        assert_eq!(sites("100001").await, (json!([]), json!([])));
        let run = syncing.run().await;
        assert_eq!((run.state, gaps(&run)), (RunState::Applied, vec![]), "{run:?}");
        assert!(devices(&tech).await.iter().all(|(_, company)| company == "100002"), "{:?}", devices(&tech).await);
        // The number changes again and again; the tie stays.
        syncing.vendor.edit(|state| state.site(NOBODY).unwrap().variables = vec![variable(30, "100001")]);
        assert_eq!(gaps(&syncing.run().await), vec![]);
        assert_eq!(named(&tech, "X-PC1").await["company_account_number"], "100002");

        // To another company, and then to nobody.
        tech.put(&format!("/api/companies/100001/sites/{NOBODY}"), &Value::Null).await;
        assert_eq!(sites("100002").await, (json!([ALPHA, BRAVO]), json!([ALPHA])));
        syncing.run().await;
        assert_eq!(named(&tech, "X-PC1").await["company_account_number"], "100001");
        tech.delete(&format!("/api/companies/100002/sites/{ALPHA}")).await;
        assert_eq!(sites("100002").await, (json!([BRAVO]), json!([])));
        syncing.run().await;
        assert_eq!(sites("100001").await, (json!([ALPHA, NOBODY]), json!([NOBODY])), "its own number says again whose it is");
        assert_eq!(named(&tech, "A-PC1").await["company_account_number"], "100001");
    }

    async fn a_tie_is_seen_and_can_be_undone(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let tied = tech.put(&format!("/api/companies/100002/sites/{ALPHA}"), &Value::Null).await;
        assert_eq!(tied.status, 200, "{}", tied.text);
        let change = tech.get("/api/changes").await.json()["changes"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&change["author"], &change["account_number"]), (&json!("tech"), &json!("100002")), "{change}");
        assert_eq!((&change["before"], &change["after"]), (&json!({"tied_site_uids": []}), &json!({"tied_site_uids": [ALPHA]})));
        let undone = tech.post(&format!("/api/changesets/{}/revert", change["changeset_id"]), &Value::Null).await;
        assert_eq!(undone.json()["left_alone"], json!([]), "{}", undone.text);
        syncing.run().await;
        let company = tech.get("/api/companies/100001").await.json();
        assert_eq!(company["datto_site_uids"], json!([ALPHA]));
        let refused = tech.put(&format!("/api/companies/100001/sites/{}", "x".repeat(300)), &Value::Null).await;
        assert_eq!(refused.blamed(), ["site_uid"]);
        // What a whole record brings back is not a tie.
        tech.put("/api/companies/100001", &json!({"tied_site_uids": [BRAVO], "datto_site_uids": [BRAVO]})).await;
        assert_eq!(tech.get("/api/companies/100001").await.json()["tied_site_uids"], json!([]));
    }

    async fn a_site_whose_number_is_not_clear_is_told_and_not_guessed(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| {
            state.site(ALPHA).unwrap().variables = vec![variable(10, "100001"), variable(11, "100002")];
            state.site(BRAVO).unwrap().variables = vec![Variable { masked: Some(true), ..variable(20, "******") }];
            state.site(NOBODY).unwrap().variables = vec![variable(30, "999999")];
        });
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "company", "link")), (RunState::Applied, 0), "{run:?}");
        let mut told = gaps(&run);
        told.sort_unstable();
        let told: Vec<(&str, bool)> = told
            .into_iter()
            .zip(["several variables", "masked", "999999"])
            .map(|((name, reason), word)| (name, reason.contains(word)))
            .collect();
        assert_eq!(told, [("Alpha Office", true), ("Bravo", true), ("Unknown", true)], "{:?}", run.gaps);
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert!(devices(&tech).await.iter().all(|(_, company)| company.is_null()));
    }

    async fn a_site_that_is_tied_stays_so_when_its_number_says_otherwise(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| state.site(ALPHA).unwrap().variables = vec![variable(10, "100002")]);
        for _ in 0..2 {
            let run = syncing.run().await;
            assert!(gaps(&run).iter().any(|(name, reason)| *name == "Alpha Office" && reason.contains("tied")), "{:?}", run.gaps);
        }
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(named(&tech, "A-PC1").await["company_account_number"], "100001");
    }

    async fn a_device_that_goes_is_archived_after_its_grace_and_comes_back_as_it_was(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let id = named(&tech, "A-PC2").await["id"].clone();
        assert!(syncing.vendor.edit(|state| state.delete_device(&uid(12))));
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "asset", "missing"), count(&run, "asset", "archive")), (RunState::Applied, 1, 0));
        let run = weeks(&syncing, 1).await;
        assert_eq!((run.state, count(&run, "asset", "archive")), (RunState::Applied, 1), "{run:?}");
        // The first token has ended meanwhile.
        let tech = syncing.nexus.caller("tech-2", "technician", &[]).await;
        assert_eq!(devices(&tech).await.len(), 4);
        syncing.vendor.edit(|state| {
            let home = state.site(ALPHA).unwrap().clone();
            *state.device(&uid(12)).unwrap() = device(12, &home, "A-PC2");
        });
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "asset", "restore")), (RunState::Applied, 1), "{run:?}");
        assert_eq!(named(&tech, "A-PC2").await["id"], id);
    }

    async fn a_site_that_goes_with_all_its_devices_waits_for_a_person(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| {
            state.sites.retain(|site| site.uid != ALPHA);
            state.devices.retain(|device| device.site_uid.as_deref() != Some(ALPHA));
        });
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "asset", "missing")), (RunState::Applied, 3), "{run:?}");
        let run = weeks(&syncing, 1).await;
        assert_eq!(run.state, RunState::Held, "{run:?}");
        assert!(run.message.as_ref().unwrap().contains("3 of 3"), "{:?}", run.message);
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(devices(&tech).await.len(), 5);
        assert_eq!(tech.get("/api/companies/100001").await.status, 200, "a site takes no company with it");
    }

    async fn a_device_that_moves_is_the_same_one(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let id = named(&tech, "A-PC3").await["id"].clone();
        syncing.vendor.edit(|state| {
            let home = state.site(BRAVO).unwrap().clone();
            *state.device(&uid(13)).unwrap() = device(13, &home, "MOVED");
        });
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "asset", "update"), count(&run, "asset", "missing")), (RunState::Applied, 1, 0), "{run:?}");
        let moved = named(&tech, "MOVED").await;
        assert_eq!((&moved["id"], &moved["company_account_number"]), (&id, &json!("100002")));
    }

    async fn one_site_that_cannot_be_read_keeps_no_other_from_being_compared(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| {
            state.delete_device(&uid(12));
            state.devices.retain(|device| device.id != 21);
        });
        // The list of all is short for Bravo, and Bravo itself cannot be read.
        syncing.vendor.edit(|state| {
            let home = state.site(BRAVO).unwrap().clone();
            state.devices.push(device(22, &home, "B-PC2"));
        });
        syncing.vendor.fault(Fault::ShortPage(3).on_exactly("/account/devices"));
        syncing.vendor.fault(Fault::NoNextLink.on_exactly("/account/devices"));
        syncing.vendor.fault(Fault::Status(500).on(&format!("/site/{BRAVO}/devices")));
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Partial, "{run:?}");
        assert_eq!(count(&run, "asset", "missing"), 1, "of Alpha alone: {run:?}");
        let bravo = run.scopes.iter().find(|scope| scope.name == format!("site:{BRAVO}")).unwrap();
        assert!(!bravo.complete && bravo.error.as_ref().unwrap().contains("500"), "{bravo:?}");
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(devices(&tech).await.len(), 5);
    }
}
