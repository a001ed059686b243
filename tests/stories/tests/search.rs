//! Search: over the whole directory and in lists, in whatever way somebody writes what they look for.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_core::Entity;
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus};
use serde_json::{Value, json};

async fn ask(caller: &Caller<'_>, path: &str, name: &str, text: &str) -> Answer {
    caller.get(&format!("{path}?{name}={}", encoded(text))).await
}

/// What was found, with its rank, the best first.
async fn found(caller: &Caller<'_>, text: &str) -> Vec<(String, i64)> {
    let answer = ask(caller, "/api/search", "q", text).await;
    assert_eq!(answer.status, 200, "{text}: {}", answer.text);
    let hits = answer.json();
    hits.as_array()
        .unwrap()
        .iter()
        .map(|hit| (hit["name"].as_str().unwrap().to_owned(), hit["rank"].as_i64().unwrap()))
        .collect()
}

async fn names(caller: &Caller<'_>, text: &str) -> Vec<String> {
    found(caller, text).await.into_iter().map(|(name, _)| name).collect()
}

async fn listed(caller: &Caller<'_>, path: &str, text: &str) -> Vec<String> {
    let answer = ask(caller, path, "search", text).await;
    assert_eq!(answer.status, 200, "{text}: {}", answer.text);
    let list = answer.json();
    let name = if path.ends_with("assets") { "hostname" } else { "name" };
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.~".contains(byte);
    text.as_bytes()
        .iter()
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn made(caller: &Caller<'_>, path: &str, body: Value) -> i64 {
    let answer = caller.post(path, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_i64().unwrap_or_default()
}

both! {
    async fn the_best_comes_first_exact_then_beginning_then_word_then_anywhere(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (number, name) in [("1", "The Mill"), ("2", "Mill"), ("3", "Millers"), ("4", "Windmill"), ("5", "Else")] {
            made(
                &tech,
                "/api/companies",
                json!({"account_number": number, "name": name, "address": (number == "5").then_some("1 Mill Lane")}),
            )
            .await;
        }
        assert_eq!(
            found(&tech, "MILL").await,
            [("Mill", 0), ("Millers", 1), ("The Mill", 2), ("Else", 3), ("Windmill", 3)]
                .map(|(name, rank)| (name.to_owned(), rank))
        );
        assert_eq!(found(&tech, " mill ").await.len(), 5);
        assert_eq!(tech.get("/api/search?limit=2&q=mill").await.json().as_array().unwrap().len(), 2);
        assert_eq!(found(&tech, "nothing").await, []);
        nexus.stop().await;
    }

    async fn each_kind_is_found_by_its_names_and_says_what_it_is(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let company = nexus.company("742", "Ackermann Tooling").await;
        nexus.company("8", "742 Steps").await;
        let ada = made(
            &tech,
            "/api/contacts",
            json!({"name": "Ada Byron", "email": "ada@ackermann.example", "company_account_numbers": ["742", "8"]}),
        )
        .await;
        let pc = made(
            &tech,
            "/api/assets",
            json!({"hostname": "ACK-LT-1", "company_account_number": "742", "operating_system": "Windows"}),
        )
        .await;
        nexus.account("ackuser", "technician", &[]).await;
        let hits = ask(&tech, "/api/search", "q", "ack").await.json();
        let kinds: Vec<&str> = hits.as_array().unwrap().iter().map(|hit| hit["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["asset", "company", "contact"], "{hits}");
        assert_eq!(
            hits[0],
            json!({"type": "asset", "id": pc, "name": "ACK-LT-1", "detail": "Windows", "account_number": "742", "rank": 1})
        );
        assert_eq!(
            hits[1],
            json!({"type": "company", "id": company, "name": "Ackermann Tooling", "detail": "742", "account_number": "742", "rank": 1})
        );
        assert_eq!(
            hits[2],
            json!({"type": "contact", "id": ada, "name": "Ada Byron", "detail": "ada@ackermann.example", "account_number": "742", "rank": 3})
        );
        // A key that fits exactly goes before a name that only begins so.
        assert_eq!(found(&tech, "742").await[..2], [("Ackermann Tooling".to_owned(), 0), ("742 Steps".to_owned(), 1)]);
        assert_eq!(found(&tech, "ada@ackermann.example").await, [("Ada Byron".to_owned(), 0)]);
        nexus.stop().await;
    }

    async fn a_record_that_fits_in_two_ways_is_told_by_the_better(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("742", "742 Steps").await;
        nexus.company("1", "742 and more").await;
        assert_eq!(found(&tech, "742").await, [("742 Steps".to_owned(), 0), ("742 and more".to_owned(), 1)]);
        nexus.stop().await;
    }

    async fn letters_beyond_ascii_are_found_in_any_case(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (number, name) in [
            ("1", "École Élémentaire"),
            ("2", "ÜBER Straße"),
            ("3", "Ωmega Ελλάς"),
            ("4", "שלום עולם"),
            ("5", "株式会社 日本"),
            ("6", "🦀 Crab 🦀 Ltd"),
            ("7", "La École"),
        ] {
            nexus.company(number, name).await;
        }
        for (text, name) in [
            ("ÉLÉMENTAIRE", "École Élémentaire"),
            ("élémentaire", "École Élémentaire"),
            ("über", "ÜBER Straße"),
            ("ÜBER", "ÜBER Straße"),
            ("STRAßE", "ÜBER Straße"),
            ("ωMEGA", "Ωmega Ελλάς"),
            ("שלום", "שלום עולם"),
            ("日本", "株式会社 日本"),
            ("本", "株式会社 日本"),
            ("🦀", "🦀 Crab 🦀 Ltd"),
            ("עולם שלום", "שלום עולם"),
            ("é lém", "École Élémentaire"),
        ] {
            assert_eq!(names(&tech, text).await, [name], "{text}");
            assert_eq!(listed(&tech, "/api/companies", text).await, [name], "{text}");
        }
        for (text, ranks) in [
            ("École Élémentaire", &[("École Élémentaire", 0)][..]),
            ("école élémentaire", &[("École Élémentaire", 0)]),
            ("ÉCOLE", &[("École Élémentaire", 1), ("La École", 2)]),
        ] {
            let ranks: Vec<(String, i64)> = ranks.iter().map(|(name, rank)| ((*name).to_owned(), *rank)).collect();
            assert_eq!(found(&tech, text).await, ranks, "{text}");
        }
        nexus.stop().await;
    }

    async fn several_words_are_found_in_any_order_and_short_ones_as_well(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        made(&tech, "/api/contacts", json!({"name": "Ada Byron", "email": "ada@x.example", "title": "Head of IT", "secondary_emails": ["countess@home.example"]})).await;
        made(&tech, "/api/contacts", json!({"name": "Bob Ito", "email": "bob@x.example"})).await;
        for (text, people) in [
            ("byron ada", &["Ada Byron"][..]),
            ("IT ada", &["Ada Byron"]),
            ("of", &["Ada Byron"]),
            ("it", &["Ada Byron", "Bob Ito"]),
            ("b", &["Ada Byron", "Bob Ito"]),
            ("ad by", &["Ada Byron"]),
            ("COUNTESS head", &["Ada Byron"]),
            ("ada bob", &[]),
            ("q", &[]),
            ("  ada \t of ", &["Ada Byron"]),
        ] {
            assert_eq!(listed(&tech, "/api/contacts", text).await, people, "{text}");
            let mut hits = names(&tech, text).await;
            hits.sort();
            assert_eq!(hits, people, "{text}");
        }
        // What stands in two fields is not one word.
        assert_eq!(listed(&tech, "/api/contacts", "byronada").await, Vec::<String>::new());
        nexus.stop().await;
    }

    async fn telephone_numbers_are_found_however_they_are_written(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        made(
            &tech,
            "/api/companies",
            json!({"account_number": "1", "name": "One", "company_main_number": "(020) 7946-0958"}),
        )
        .await;
        made(
            &tech,
            "/api/contacts",
            json!({"name": "Ada", "email": "a@x.example", "mobile_phone_number": "+44 20 7946 0958"}),
        )
        .await;
        made(&tech, "/api/contacts", json!({"name": "Bob", "email": "b@x.example", "work_phone_number": "020.7946.0958", "mobile_phone_number": "555-0100"})).await;
        made(
            &tech,
            "/api/contacts",
            json!({"name": "Cleo", "email": "c@x.example", "work_phone_number": "020 7946 0959"}),
        )
        .await;
        made(
            &tech,
            "/api/locations",
            json!({"name": "Place", "company_account_number": "1", "phone_number": "0044 20 7946 0958"}),
        )
        .await;
        for text in [
            "+44 20 7946 0958",
            "(020) 7946-0958",
            "02079460958",
            "0044 (0)20 7946 0958",
            "+442079460958",
            "7946 0958",
            "020/7946.0958",
            "7946\u{a0}0958",
        ] {
            assert_eq!(listed(&tech, "/api/companies", text).await, ["One"], "{text}");
            assert_eq!(listed(&tech, "/api/contacts", text).await, ["Ada", "Bob"], "{text}");
            assert_eq!(listed(&tech, "/api/locations", text).await, ["Place"], "{text}");
            assert_eq!(names(&tech, text).await, ["Ada", "Bob", "One"], "{text}");
        }
        assert_eq!(listed(&tech, "/api/contacts", "5550100").await, ["Bob"]);
        assert_eq!(listed(&tech, "/api/assets", "+44 20 7946 0958").await, Vec::<String>::new());
        nexus.stop().await;
    }

    async fn nothing_that_is_typed_is_a_command(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        made(&tech, "/api/companies", json!({"account_number": "1", "name": "100% \"quoted\" a_b back\\slash *star* OR NOT -minus ^hat (paren) col:on"})).await;
        nexus.company("2", "Other thing").await;
        let name = "100% \"quoted\" a_b back\\slash *star* OR NOT -minus ^hat (paren) col:on";
        for text in [
            "\"quoted\"",
            "quoted\"",
            "*star*",
            "100%",
            "0%",
            "%",
            "_",
            "a_b",
            "\\",
            "k\\s",
            "back\\slash",
            "OR",
            "NOT",
            "NOT OR",
            "-minus",
            "^hat",
            "(paren)",
            "col:on",
            "\"",
            "*",
            name,
        ] {
            assert_eq!(listed(&tech, "/api/companies", text).await, [name], "{text}");
            assert_eq!(names(&tech, text).await, [name], "{text}");
        }
        for text in [
            "star OR other",
            "quoted NEAR other",
            "a%b",
            "a?b",
            "axb",
            "\"quoted a_b\"",
            "search:quoted",
            "'",
            "'; DROP TABLE companies; --",
            "\\%",
            "%%%x",
            "\u{202e}",
            "{\"a\":1}",
            "oth*",
            "\"\"\"",
            "$1",
            "\u{ffff}",
            "\u{10ffff}",
        ] {
            assert_eq!(listed(&tech, "/api/companies", text).await, Vec::<String>::new(), "{text}");
            assert_eq!(names(&tech, text).await, Vec::<String>::new(), "{text}");
        }
        nexus.stop().await;
    }

    async fn however_long_a_query_is_it_is_answered(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", &format!("{} end", "x".repeat(250))).await;
        nexus.company("2", &format!("a {}", "_".repeat(250))).await;
        nexus.record(Entity::Contact, &json!({"name": "Ada"})).await;
        let long = [
            "x".repeat(10_000),
            "x ".repeat(5_000),
            "_".repeat(10_000),
            "_".repeat(30_000),
            "\"".repeat(10_000),
            "%".repeat(10_000),
            "\\".repeat(10_000),
            "🦀".repeat(4_000),
            "É".repeat(9_000),
            "1".repeat(10_000),
            "a* ".repeat(3_000),
            "+1 ".repeat(3_000),
        ];
        for text in &long {
            for (path, name) in [
                ("/api/search", "q"),
                ("/api/companies", "search"),
                ("/api/contacts", "search"),
                ("/api/assets", "search"),
                ("/api/users", "search"),
            ] {
                let status = ask(&tech, path, name, text).await.status.as_u16();
                assert!(status < 500, "{path}: {status} for {} × {}", &text.chars().next().unwrap(), text.len());
            }
            // Longer than any name, so it is none.
            if text.trim().chars().count() > 1_000 && !text.contains(' ') {
                assert!(found(&tech, text).await.iter().all(|(_, rank)| *rank > 1), "{}", text.len());
            }
        }
        assert_eq!(found(&tech, &"x".repeat(250)).await.len(), 1);
        nexus.stop().await;
    }

    async fn a_query_that_cannot_be_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for query in ["", "?q=", "?q=+", "?q=%20%09", "?limit=5", "?q=%C2%A0"] {
            assert_eq!(tech.get(&format!("/api/search{query}")).await.blamed(), ["q"], "{query}");
        }
        for limit in ["0", "101", "-1", "x", "", "1.5"] {
            assert_eq!(tech.get(&format!("/api/search?q=a&limit={limit}")).await.blamed(), ["limit"], "{limit}");
        }
        tech.get("/api/search?q=%00").await.problem(400);
        for odd in ["%FF", "%ED%A0%80", "%", "%zz", "a%", "%F0%9F"] {
            assert_eq!(tech.get(&format!("/api/search?q={odd}")).await.status, 200, "{odd}");
            assert_eq!(tech.get(&format!("/api/contacts?search={odd}")).await.status, 200, "{odd}");
        }
        nexus.nobody().get("/api/search?q=a").await.refused(401, "Token is missing");
        nexus.stop().await;
    }

    async fn what_is_archived_or_was_changed_is_not_found_by_its_old_words(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "Oldname Company").await;
        let ada = made(
            &tech,
            "/api/contacts",
            json!({"name": "Oldname Person", "email": "old@x.example", "company_account_number": "1"}),
        )
        .await;
        let pc = made(&tech, "/api/assets", json!({"hostname": "oldname-pc", "company_account_number": "1"})).await;
        let paths = ["/api/companies/1".to_owned(), format!("/api/contacts/{ada}"), format!("/api/assets/{pc}")];
        assert_eq!(names(&tech, "oldname").await.len(), 3);
        for path in &paths {
            tech.delete(path).await;
        }
        assert_eq!(names(&tech, "oldname").await, Vec::<String>::new());
        for path in &paths {
            assert_eq!(tech.post(&format!("{path}/restore"), &json!({})).await.status, 200);
        }
        assert_eq!(names(&tech, "oldname").await.len(), 3);
        for (path, field) in paths.iter().zip(["name", "name", "hostname"]) {
            tech.put(path, &json!({field: "Newname"})).await;
        }
        tech.put(&paths[1], &json!({"email": null})).await;
        for old in ["oldname", "ol", "old@x"] {
            assert_eq!(names(&tech, old).await, Vec::<String>::new(), "{old}");
        }
        for (path, text) in [("/api/companies", "oldname"), ("/api/contacts", "oldname"), ("/api/assets", "oldname")] {
            assert_eq!(listed(&tech, path, text).await, Vec::<String>::new());
        }
        assert_eq!(names(&tech, "newname").await.len(), 3);
        // What an undo brings back is found again.
        let set = tech.get("/api/changesets").await.json()[1]["id"].clone();
        tech.post(&format!("/api/changesets/{set}/revert"), &json!({})).await;
        assert_eq!(names(&tech, "oldname").await, ["oldname-pc"]);
        // Archived lists are searched by their own words.
        tech.delete(&paths[0]).await;
        let archived = tech.get("/api/companies?archived=true&search=newname").await;
        assert_eq!((archived.status.as_u16(), names(&tech, "newname").await.len()), (200, 1), "{}", archived.text);
        nexus.stop().await;
    }

    async fn an_archived_list_is_searched_as_a_live_one_is(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "Gone away").await;
        nexus.company("2", "Gone too").await;
        nexus.company("3", "Gone never").await;
        tech.delete("/api/companies/1").await;
        tech.delete("/api/companies/2").await;
        for (text, count) in [("go", 2), ("gone", 2), ("gone away", 1), ("away", 1), ("never", 0)] {
            let list = tech.get(&format!("/api/companies?archived=true&search={}", encoded(text))).await.json();
            assert_eq!(list.as_array().unwrap().len(), count, "{text}");
        }
        nexus.stop().await;
    }

    async fn a_client_finds_what_belongs_to_its_companies_alone(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let own = nexus.company("OWN-1", "Common One").await;
        nexus.company("AAA-0", "Common Two").await;
        for (number, word) in [("OWN-1", "Ours"), ("AAA-0", "Theirs")] {
            made(&tech, "/api/contacts", json!({"name": format!("Common {word}"), "email": format!("{word}@x.example"), "company_account_number": number})).await;
            made(&tech, "/api/assets", json!({"hostname": format!("common-{word}"), "company_account_number": number}))
                .await;
        }
        made(&tech, "/api/contacts", json!({"name": "Common Shared", "email": "shared@x.example", "company_account_numbers": ["AAA-0", "OWN-1"]})).await;
        let (client, nobody) =
            (nexus.caller("client", "client", &[own]).await, nexus.caller("nobody", "client", &[]).await);
        for text in ["common", "co", "AAA-0", "theirs", "aaa", "two", "shared", "%", "-"] {
            let answer = client.get(&format!("/api/search?limit=100&q={}", encoded(text))).await;
            assert_eq!(answer.status, 200);
            for hidden in ["AAA", "Theirs", "Two"] {
                assert!(!answer.text.contains(hidden), "{text}: {}", answer.text);
            }
            assert_eq!(ask(&nobody, "/api/search", "q", text).await.json(), json!([]));
        }
        let mut hits = names(&client, "common").await;
        hits.sort();
        assert_eq!(hits, ["Common One", "Common Ours", "Common Shared", "common-Ours"]);
        let shared = ask(&client, "/api/search", "q", "shared").await.json();
        assert_eq!(shared[0]["account_number"], "OWN-1");
        let billing = nexus.caller("billing", "billing", &[]).await;
        assert_eq!(names(&billing, "common").await.len(), 7);
        nexus.stop().await;
    }

    async fn the_best_is_found_among_many(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let many: Vec<_> = (0..150).map(|n| json!({"name": format!("Person {n:03}"), "title": "needle"})).collect();
        for one in &many {
            nexus.record(Entity::Contact, one).await;
        }
        nexus.record(Entity::Contact, &json!({"name": "Needle"})).await;
        nexus.record(Entity::Contact, &json!({"name": "Needlework"})).await;
        nexus.record(Entity::Contact, &json!({"name": "A needle"})).await;
        let hits = found(&tech, "needle").await;
        assert_eq!(hits.len(), 20);
        assert_eq!(
            hits[..3],
            [("Needle", 0), ("Needlework", 1), ("A needle", 2)].map(|(name, rank)| (name.to_owned(), rank))
        );
        nexus.stop().await;
    }
}
