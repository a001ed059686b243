//! Login and logout of people.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use jiff::SignedDuration;
use nexus_core::Entity;
use nexus_db::changes::Edit;
use nexus_test_databases::both;
use nexus_tests::{Nexus, PASSWORD, send};

both! {
    async fn a_person_logs_in_and_the_cookie_is_kept_from_everybody_else(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let mut browser = nexus.browser();
        let page = browser.get("/login").await;
        assert_eq!(page.status, 200);
        assert_eq!(browser.get("/").await.header("location"), "/login?next=/");
        let answer = browser.log_in("ada", PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"));
        let cookies: Vec<&str> =
            answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
        let session = cookies.iter().find(|cookie| cookie.starts_with("nexus_session=")).unwrap();
        for flag in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=86400"] {
            assert!(session.split("; ").any(|part| part == flag), "{flag} is missing: {session}");
        }
        let home = browser.get("/").await;
        assert_eq!(home.status, 200);
        assert!(home.text.contains("ada"));
        assert_eq!(browser.get("/login").await.header("location"), "/", "there is nothing to log in to");
        nexus.stop().await;
    }

    async fn the_secret_of_a_session_is_not_kept_by_the_server(world: World) {
        let nexus = Nexus::serve(world).await;
        let browser = nexus.logged_in("ada", "admin").await;
        let secret = &browser.cookies["nexus_session"];
        assert!(secret.len() >= 32);
        let kept = nexus_db::Query::new("SELECT token_hash FROM sessions");
        let kept: Vec<(String,)> = nexus.db().all(kept).await.unwrap();
        assert!(kept.len() == 1 && !kept[0].0.contains(secret.as_str()));
        nexus.stop().await;
    }

    async fn a_wrong_password_is_told_and_the_name_stays(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let mut browser = nexus.browser();
        let mut told = Vec::new();
        for name in ["ada", "no\"body"] {
            let page = browser.log_in(name, "secret guess").await;
            assert_eq!(page.status, 422);
            assert!(page.text.contains("The name or the password is wrong"));
            assert_eq!(page.form("/login").value("username"), Some(name));
            assert_eq!(page.form("/login").value("password"), Some(""), "a password is never sent back");
            assert!(!page.text.contains("secret guess"));
            told.push(page.text.replace("no&#34;body", "ada"));
        }
        assert_eq!(told[0], told[1], "an unknown name is told like a wrong password");
        assert!(!browser.cookies.contains_key("nexus_session"));
        nexus.stop().await;
    }

    async fn a_service_account_has_no_pages(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("jobs", "technician", &[]).await;
        let page = nexus.browser().log_in("jobs", PASSWORD).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains("The name or the password is wrong"));
        nexus.stop().await;
    }

    async fn a_form_without_the_token_of_the_session_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let mut guest = nexus.browser();
        let mut login = guest.get("/login").await.form("/login");
        login.set("username", "ada");
        login.set("password", PASSWORD);
        let mut browser = nexus.logged_in("bob", "admin").await;
        let mut other = nexus.logged_in("cy", "admin").await;
        let mut add = browser.get("/companies/new").await.form("/companies/new");
        add.set("name", "One");
        add.set("account_number", "1");
        let logout = browser.get("/").await.form("/logout");
        let foreign = other.get("/").await.form("/logout").value("csrf").unwrap().to_owned();
        let n = nexus.written().await;
        for (session, form) in [(&mut guest, login), (&mut browser, add), (&mut other, logout)] {
            for token in [None, Some(""), Some("wrong"), Some(foreign.as_str())] {
                let mut form = form.clone();
                match token {
                    Some(token) => form.set("csrf", token),
                    None => form.remove("csrf"),
                }
                // The one that is its own is tried last, by the other stories.
                if session.cookies.contains_key("nexus_session") && session.get("/").await.text.contains(&foreign) && token == Some(&foreign) {
                    continue;
                }
                let page = session.submit(&form).await;
                assert_eq!(page.status, 403);
                assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
                let told = ["This form is no longer valid", "This form is older than your login"];
                assert!(told.iter().any(|text| page.text.contains(text)), "{}", page.text);
            }
        }
        assert_eq!(nexus.written().await, n);
        assert_eq!(browser.get("/").await.status, 200, "nobody was logged out");
        // Another site can make a browser send a form, but not one with a cookie and the token that goes with it.
        let bare = nexus.nobody().request(Method::POST, "/login").form(&[("username", "ada"), ("password", PASSWORD)]);
        assert_eq!(send(bare).await.status, 403);
        nexus.stop().await;
    }

    async fn a_second_login_page_does_not_spoil_the_first(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let mut browser = nexus.browser();
        let mut first = browser.get("/login").await.form("/login");
        browser.get("/login").await;
        first.set("username", "ada");
        first.set("password", PASSWORD);
        assert_eq!(browser.submit(&first).await.status, 303);
        nexus.stop().await;
    }

    async fn a_guest_goes_to_the_login_and_on_from_there(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        for (asked, next) in [
            ("/", "/"), ("/companies", "/companies"), ("/contacts/new", "/contacts/new"), ("/sync", "/sync"),
            ("/companies?search=a%26b&page=2", "/companies?search=a%26b&page=2"),
        ] {
            let mut browser = nexus.browser();
            let sent = browser.get(asked).await;
            assert_eq!(sent.status, 303);
            let login = sent.header("location").to_owned();
            assert!(login.starts_with("/login?next="), "{login}");
            let mut form = browser.get(&login).await.form("/login");
            assert_eq!(form.value("next"), Some(next));
            form.set("username", "ada");
            form.set("password", PASSWORD);
            assert_eq!(browser.submit(&form).await.header("location"), next);
        }
        nexus.stop().await;
    }

    async fn a_login_leads_to_pages_of_nexus_only(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut inside = nexus.logged_in("ada", "admin").await;
        for next in [
            "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil", "",
            "/\t/evil.example", "/\n/evil.example", "///evil.example", "/x\\..\\..\\evil",
        ] {
            let mut browser = nexus.browser();
            let query = reqwest::Url::parse_with_params("http://x/login", [("next", next)]).unwrap();
            let login = format!("/login?{}", query.query().unwrap());
            let mut form = browser.get(&login).await.form("/login");
            form.set("username", "ada");
            form.set("password", PASSWORD);
            form.set("next", next);
            assert_eq!(browser.submit(&form).await.header("location"), "/", "{next:?}");
            assert_eq!(inside.get(&login).await.header("location"), "/", "{next:?}");
        }
        let odd = inside.get("/login?next=/caf%C3%A9").await;
        assert_eq!((odd.status.as_u16(), odd.header("location")), (303, "/caf%C3%A9"));
        nexus.stop().await;
    }

    async fn a_logout_ends_the_session_on_the_server(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("ada", "admin").await;
        let mut copy = nexus.browser();
        copy.cookies = browser.cookies.clone();
        assert_eq!(copy.get("/").await.status, 200);
        let form = browser.get("/").await.form("/logout");
        let answer = browser.submit(&form).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/login"));
        assert!(!browser.cookies.contains_key("nexus_session"));
        assert_eq!(copy.get("/").await.status, 303, "a stolen cookie is worth nothing any more");
        nexus.stop().await;
    }

    async fn a_session_ends_with_its_time_and_with_its_user(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("ada", "admin").await;
        nexus.world.clock.advance(SignedDuration::from_secs(86_399));
        assert_eq!(browser.get("/").await.status, 200);
        nexus.world.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(browser.get("/").await.status, 303);

        let id = nexus.account("bob", "admin", &[]).await;
        let mut browser = nexus.browser();
        browser.log_in("bob", PASSWORD).await;
        assert_eq!(browser.get("/").await.status, 200);
        nexus.change(Edit::Archive { entity: Entity::User, id, version: None }).await;
        assert_eq!(browser.get("/").await.status, 303);
        nexus.stop().await;
    }
}
