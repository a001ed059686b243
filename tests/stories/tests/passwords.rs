//! A person's own password, and the theme of the pages.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_db::Query;
use nexus_db::accounts;
use nexus_test_databases::both;
use nexus_tests::{Nexus, PASSWORD};

both! {
    async fn a_password_that_everybody_knows_is_replaced_before_anything_is_shown(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("boss", "admin").await;
        let (id,) = nexus.db().one::<(i64,)>(Query::new("SELECT id FROM users WHERE username = 'boss'")).await.unwrap();
        let hash = "SELECT hash FROM passwords WHERE user_id = $1";
        let (hash,) = nexus.db().one::<(String,)>(Query::new(hash).bind(id)).await.unwrap();
        accounts::set_password(nexus.db(), id, &hash, true).await.unwrap();
        browser.log_in("boss", PASSWORD).await;
        for path in ["/", "/companies", "/assets", "/search?q=x", "/sync"] {
            assert_eq!(browser.get(path).await.header("location"), "/password", "{path}");
        }
        let page = browser.get("/password").await;
        assert!(page.text.contains("Everybody knows the password of a new Nexus"), "{}", page.text);
        let changed = browser.edit("/password", &[("current", PASSWORD), ("password", "a longer one"), ("again", "a longer one")]).await;
        assert_eq!((changed.status.as_u16(), changed.header("location")), (303, "/"));
        assert_eq!(browser.get("/").await.status, 200);
        nexus.stop().await;
    }

    async fn a_new_password_ends_the_other_sessions_and_a_wrong_one_changes_nothing(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let mut other = nexus.browser();
        other.log_in("tech", PASSWORD).await;
        for (current, new, again, blamed) in [
            ("wrong password", "a longer one", "a longer one", "current-error"),
            (PASSWORD, "short", "short", "password-error"),
            (PASSWORD, "a longer one", "another one", "again-error"),
            (PASSWORD, PASSWORD, PASSWORD, "password-error"),
        ] {
            let page = browser.edit("/password", &[("current", current), ("password", new), ("again", again)]).await;
            assert_eq!(page.status, 422, "{blamed}: {}", page.text);
            assert!(page.text.contains(&format!("id=\"{blamed}\"")) && !page.text.contains("a longer one"), "{}", page.text);
        }
        assert_eq!(other.get("/").await.status, 200);
        let done = browser.edit("/password", &[("current", PASSWORD), ("password", "a longer one"), ("again", "a longer one")]).await;
        assert_eq!(done.status, 303, "{}", done.text);
        assert_eq!(browser.get("/").await.status, 200, "the session of the one who changed it goes on");
        assert_eq!(other.get("/").await.status, 303, "the others have ended");
        assert_eq!(nexus.browser().log_in("tech", PASSWORD).await.status, 422);
        assert_eq!(nexus.browser().log_in("tech", "a longer one").await.status, 303);
        nexus.stop().await;
    }

    async fn a_theme_is_kept_and_goes_back_to_where_it_was_chosen(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        for (theme, shown) in [("dark", "data-bs-theme=\"dark\""), ("light", "data-bs-theme=\"light\""), ("<x>", "<html lang=\"en\">")] {
            let mut form = browser.get("/companies").await.form("/theme");
            form.remove("theme");
            form.add("theme", theme);
            let done = browser.submit(&form).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, "/companies"));
            assert!(browser.get("/companies").await.text.contains(shown), "{theme}");
        }
        // A page that answers a form may have no address of its own: then it is the one before.
        let company = nexus.company("1", "One").await;
        let list = "/companies?search=one";
        let mut chosen = browser.get(list).await.form("/companies/bulk");
        chosen.add("id", &company.to_string());
        chosen.add("do", "archive");
        let page = browser.submit(&chosen).await;
        assert_eq!((page.status.as_u16(), page.form("/theme").value("back")), (200, Some(list)));
        nexus.stop().await;
    }
}
