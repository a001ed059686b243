//! The client of the REST API against a served Nexus: what another service does with it, on both databases.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::time::Duration;

use futures_util::TryStreamExt as _;
use nexus_client::{Client, Credentials, Error, NewKey, Options, Record, Records, Saved};
use nexus_core::Role;
use nexus_test_databases::both;
use nexus_tests::{Nexus, PASSWORD};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

fn connect(nexus: &Nexus, credentials: impl Into<Credentials>) -> Client {
    let options = Options { clock: nexus.world.clock.clone(), ..Options::default() };
    Client::new(&nexus.url, credentials, &options).unwrap()
}

/// A client of a new account of that role.
async fn client(nexus: &Nexus, username: &str, role: &str) -> Client {
    nexus.account(username, role, &[]).await;
    connect(nexus, Credentials::account(username, PASSWORD))
}

fn is_stale(outcome: Result<impl Sized, Error>) -> bool {
    matches!(outcome, Err(Error::Stale(problem)) if problem.status == 412)
}

/// The life of one record: created, read, changed, archived, restored.
async fn live<R: Record<Key: Clone>>(
    records: Records<R>,
    (fields, changes): (Value, Value),
    seen: impl Fn(&R) -> (&str, i64),
) -> Saved<R::Key> {
    let created = records.create(&fields).await.unwrap();
    let key = || created.key.clone();
    let record = records.get(key()).await.unwrap().unwrap();
    assert_eq!(seen(&record).1, created.version);

    let updated = records.update(key(), created.version, &changes).await.unwrap();
    assert_eq!(updated.version, created.version + 1);
    assert!(is_stale(records.update(key(), created.version, &changes).await));
    assert!(is_stale(records.archive(key(), created.version).await));
    let record = records.get(key()).await.unwrap().unwrap();
    let (name, version) = seen(&record);
    assert_eq!((name, version), ("Changed", updated.version));

    records.archive(key(), updated.version).await.unwrap();
    assert!(records.get(key()).await.unwrap().is_none());
    let listed = |list: Vec<R>| list.iter().any(|record| seen(record).0 == "Changed");
    assert!(!listed(records.list().all().await.unwrap()));
    assert!(listed(records.list().archived().all().await.unwrap()));
    let restored = records.restore(key()).await.unwrap();
    assert!(restored.version > updated.version);
    assert!(listed(records.list().search("Changed").all().await.unwrap()));
    restored
}

both! {
    async fn a_record_of_each_kind_lives_its_whole_life_by_the_client(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = client(&nexus, "root", "admin").await;
        let named = |fields: Value| (fields, json!({ "name": "Changed" }));
        let company = json!({ "account_number": "007", "name": "Seven" });
        let company = live(admin.companies(), named(company), |one| (&one.name, one.version)).await;
        assert_eq!(company.key, "007");
        let person = json!({ "name": "Ada", "email": "ada@x.example", "company_account_numbers": ["007"] });
        live(admin.contacts(), named(person), |one| (&one.name, one.version)).await;
        let place = json!({ "name": "Office", "company_account_number": "007" });
        live(admin.locations(), named(place), |one| (&one.name, one.version)).await;
        let device = json!({ "hostname": "LT-1", "company_account_number": "007" });
        let renamed = json!({ "hostname": "Changed" });
        live(admin.assets(), (device, renamed), |one| (&one.hostname, one.version)).await;
        let user = json!({ "username": "grace", "permission_level": "billing", "password": PASSWORD });
        let renamed = json!({ "username": "Changed" });
        live(admin.users(), (user, renamed), |one| (&one.username, one.version)).await;
        live(admin.features(), named(json!({ "name": "Backup" })), |one| (&one.name, one.version)).await;
        let plan = json!({ "name": "Complete", "features": { "Changed": "Daily" } });
        live(admin.plans(), named(plan), |one| (&one.name, one.version)).await;
        nexus.stop().await;
    }

    async fn a_record_that_is_asked_for_twice_is_created_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let contacts = client(&nexus, "tech", "technician").await.contacts();
        let ada = json!({ "name": "Ada", "email": "ada@x.example" });
        let first = contacts.create_as("import 1", &ada).await.unwrap();
        assert_eq!(contacts.create_as("import 1", &ada).await.unwrap(), first);
        let other = contacts.create_as("import 1", &json!({ "name": "Other", "email": "o@x.example" })).await;
        assert_eq!(other.unwrap_err().status(), Some(422));
        let taken = contacts.create(&ada).await.unwrap_err();
        assert_eq!(taken.status(), Some(409), "the client's own keys are new ones: {taken}");
        assert_eq!(contacts.list().all().await.unwrap().len(), 1);
        nexus.stop().await;
    }

    async fn a_field_is_pinned_and_released_by_the_client(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = client(&nexus, "tech", "technician").await;
        let company = tech.companies().create(&json!({ "account_number": "007", "name": "Seven" })).await.unwrap();
        let person = tech.contacts().create(&json!({ "name": "Ada", "email": "ada@x.example" })).await.unwrap();
        let device = json!({ "hostname": "LT-1", "company_account_number": "007" });
        let device = tech.assets().create(&device).await.unwrap();

        let pinned = tech.companies().pin("007", "name", company.version).await.unwrap();
        assert_eq!(tech.companies().get("007").await.unwrap().unwrap().pinned_fields, ["name"]);
        assert!(is_stale(tech.companies().release("007", "name", company.version).await));
        tech.companies().release("007", "name", pinned.version).await.unwrap();
        assert!(tech.companies().get("007").await.unwrap().unwrap().pinned_fields.is_empty());

        tech.contacts().pin(person.key, "title", None).await.unwrap();
        assert_eq!(tech.contacts().get(person.key).await.unwrap().unwrap().pinned_fields, ["title"]);
        tech.contacts().release(person.key, "title", None).await.unwrap();
        tech.assets().pin(device.key, "hostname", None).await.unwrap();
        assert_eq!(tech.assets().get(device.key).await.unwrap().unwrap().pinned_fields, ["hostname"]);
        tech.assets().release(device.key, "hostname", None).await.unwrap();
        assert_eq!(tech.assets().pin(device.key, "no_such", None).await.unwrap_err().status(), Some(404));
        nexus.stop().await;
    }

    async fn lists_are_narrowed_sorted_and_streamed_page_by_page(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = client(&nexus, "tech", "technician").await;
        for number in ["001", "002"] {
            tech.companies().create(&json!({ "account_number": number, "name": number })).await.unwrap();
        }
        for (n, hostname) in ["LT-1", "lt-2", "LT-3", "SRV & more"].iter().enumerate() {
            let number = if n < 3 { "001" } else { "002" };
            let device = json!({ "hostname": hostname, "company_account_number": number });
            tech.assets().create(&device).await.unwrap();
        }
        let assets = || tech.assets().list();
        let names = |list: Vec<nexus_core::records::Asset>| -> Vec<String> {
            list.into_iter().map(|asset| asset.hostname).collect()
        };
        let stream = assets().company("001").sort("hostname").descending().per_page(1).into_stream();
        assert_eq!(names(stream.try_collect().await.unwrap()), ["LT-3", "lt-2", "LT-1"]);
        assert_eq!(names(assets().search("& SRV").all().await.unwrap()), ["SRV & more"]);
        assert_eq!(names(assets().hostname("LT-2").company("001").all().await.unwrap()), ["lt-2"]);
        let refused = assets().sort("ext_ip_address").all().await.unwrap_err();
        assert_eq!(refused.problem().unwrap().errors[0].field, "sort");

        for (name, active) in [("Ada", true), ("Grace", false)] {
            let email = format!("{name}+x@one.example");
            let body = json!({ "name": name, "email": email, "active": active, "company_account_numbers": ["001"] });
            tech.contacts().create(&body).await.unwrap();
        }
        assert_eq!(tech.contacts().list().email("ada+x@one.example").all().await.unwrap()[0].name, "Ada");
        assert_eq!(tech.contacts().list().active(false).company("001").all().await.unwrap()[0].name, "Grace");
        assert!(tech.companies().list().freshservice_id(7).all().await.unwrap().is_empty());
        nexus.stop().await;
    }

    async fn what_belongs_to_a_company_is_read_part_by_part_and_at_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = client(&nexus, "root", "admin").await;
        let backup = admin.features().create(&json!({ "name": "Backup" })).await.unwrap().key;
        admin.plans().create(&json!({ "name": "Gold", "features": { "Backup": "Weekly" } })).await.unwrap();
        let body = json!({ "account_number": "007", "name": "Seven", "plan_selected": "Gold" });
        let company = admin.companies().create(&body).await.unwrap();
        admin.companies().create(&json!({ "account_number": "008", "name": "Eight" })).await.unwrap();
        admin.assets().create(&json!({ "hostname": "LT-1", "company_account_number": "007" })).await.unwrap();
        let ada = json!({ "name": "Ada", "email": "ada@x.example", "company_account_numbers": ["007"] });
        admin.contacts().create(&ada).await.unwrap();
        admin.locations().create(&json!({ "name": "Office", "company_account_number": "007" })).await.unwrap();
        let user = json!({
            "username": "seven", "permission_level": "client", "password": PASSWORD, "company_account_numbers": ["007"]
        });
        admin.users().create(&user).await.unwrap();

        let companies = admin.companies();
        assert_eq!(companies.assets("007").search("lt").all().await.unwrap()[0].hostname, "LT-1");
        assert!(companies.assets("007").archived().all().await.unwrap().is_empty());
        assert!(companies.assets("008").all().await.unwrap().is_empty());
        assert_eq!(companies.contacts("007").all().await.unwrap()[0].name, "Ada");
        assert_eq!(companies.locations("007").all().await.unwrap()[0].name, "Office");
        assert_eq!(companies.users("007").all().await.unwrap()[0].username, "seven");
        assert_eq!(companies.assets("..").all().await.unwrap_err().status(), Some(404));

        let of_backup = async || companies.features("007").await.unwrap().remove(0);
        let feature = of_backup().await;
        assert_eq!((feature.id, feature.value.as_deref()), (backup, Some("Weekly")));
        let set = companies.set_feature("007", backup, "Daily", company.version).await.unwrap();
        let feature = of_backup().await;
        assert_eq!((feature.value.as_deref(), feature.own_value.as_deref()), (Some("Daily"), Some("Daily")));
        assert!(is_stale(companies.clear_feature("007", backup, company.version).await));
        companies.clear_feature("007", backup, set.version).await.unwrap();
        assert_eq!(of_backup().await.value.as_deref(), Some("Weekly"));

        let whole: Vec<_> = companies.bulk().into_stream().try_collect().await.unwrap();
        let names: Vec<_> = whole.iter().map(|one| one.company.name.as_str()).collect();
        assert_eq!(names, ["Eight", "Seven"]);
        let seven = &whole[1];
        assert_eq!((seven.assets.len(), seven.contacts.len(), seven.locations.len()), (1, 1, 1));
        assert_eq!(*seven.assets, companies.assets("007").all().await.unwrap());
        let billed = admin.billing_summary().all().await.unwrap().remove(1);
        assert_eq!((billed.account_number.as_str(), billed.plan_selected.as_deref()), ("007", Some("Gold")));
        assert_eq!((billed.assets.len(), billed.users[0].username.as_str()), (1, "seven"));
        assert_eq!((billed.contacts[0].name.as_str(), billed.contacts[0].active), ("Ada", true));

        let hits = admin.search("ada", 5).await.unwrap();
        assert_eq!((hits[0].name.as_str(), hits[0].account_number.as_deref()), ("Ada", Some("007")));

        // A client reads its own company, and of others not even whether they are there.
        let own = connect(&nexus, Credentials::account("seven", PASSWORD));
        assert_eq!(own.companies().get("007").await.unwrap().unwrap().name, "Seven");
        assert_eq!(own.companies().assets("007").all().await.unwrap().len(), 1);
        for number in ["008", "nowhere"] {
            assert_eq!(own.companies().get(number).await.unwrap_err().status(), Some(403));
        }
        nexus.stop().await;
    }

    async fn the_feed_is_followed_while_others_write(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = client(&nexus, "tech", "technician").await;
        let before = tech.changes(0, 1_000, Duration::ZERO).await.unwrap();
        let mut parts = tech.follow(before.next);
        let write = async {
            // The follower waits by then, or finds it at once: both are right.
            tokio::time::sleep(Duration::from_millis(100)).await;
            tech.companies().create(&json!({ "account_number": "007", "name": "Seven" })).await.unwrap()
        };
        let (part, created) = tokio::join!(parts.try_next(), write);
        let part = part.unwrap().unwrap();
        let change = &part.changes[0];
        assert_eq!((change.action.as_str(), change.account_number.as_deref()), ("create", Some("007")), "{change:?}");
        assert_eq!((change.after["name"].as_str(), change.author.as_str()), (Some("Seven"), "tech"));
        assert_eq!(part.next, change.cursor);
        tech.companies().update("007", created.version, &json!({ "name": "VII" })).await.unwrap();
        let part = parts.try_next().await.unwrap().unwrap();
        assert_eq!((&part.changes[0].before["name"], &part.changes[0].after["name"]), (&json!("Seven"), &json!("VII")));

        let again = tech.changes(before.next, 1, Duration::ZERO).await.unwrap();
        assert_eq!((again.changes.len(), again.changes[0].action.as_str()), (1, "create"));
        nexus.stop().await;
    }

    async fn a_service_comes_in_with_the_api_key_that_it_was_given(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = client(&nexus, "root", "admin").await;
        let service = json!({ "username": "billing", "permission_level": "technician", "service_account": true });
        let service = admin.users().create(&service).await.unwrap().key;
        let key = NewKey { name: Some("Reads".into()), role: Some(Role::Billing), expires_at: None };
        let made = admin.users().create_key(service, &key).await.unwrap();
        assert!(made.secret.expose_secret().starts_with(&made.known.prefix));
        assert_eq!(admin.users().keys(service).await.unwrap(), std::slice::from_ref(&made.known));

        let by_key = connect(&nexus, Credentials::api_key(made.secret));
        assert!(by_key.companies().list().all().await.unwrap().is_empty());
        let refused = by_key.companies().create(&json!({ "account_number": "1", "name": "One" })).await.unwrap_err();
        assert_eq!(refused.status(), Some(403), "the key does less than its account");
        admin.users().revoke_key(made.known.id).await.unwrap();
        assert_eq!(by_key.companies().list().all().await.unwrap_err().status(), Some(401));
        assert_eq!(admin.users().revoke_key(made.known.id).await.unwrap_err().status(), Some(404));
        nexus.stop().await;
    }
}
