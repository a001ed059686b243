//! Guessing passwords becomes slow, whoever is asked for and wherever from.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::net::Ipv4Addr;

use http::StatusCode;
use jiff::SignedDuration;
use nexus_test_databases::both;
use nexus_tests::{Answer, Nexus, PASSWORD, http_client_from, send};
use serde_json::json;

/// Failures that cost nothing.
const FREE: usize = 5;

/// A try from an address of this machine, of which each story has more than one.
async fn attempt(nexus: &Nexus, from: u8, username: &str, password: &str) -> Answer {
    let request = http_client_from(Ipv4Addr::new(127, 0, 0, from)).post(format!("{}/api/token", nexus.url));
    send(request.json(&json!({"username": username, "password": password}))).await
}

fn must_wait(answer: &Answer, seconds: i64) {
    answer.problem(429);
    assert_eq!(answer.header("retry-after"), seconds.to_string());
}

fn wait(nexus: &Nexus, seconds: i64) {
    nexus.world.clock.advance(SignedDuration::from_secs(seconds));
}

both! {
    #[cfg(target_os = "linux")]
    async fn an_account_must_wait_longer_after_each_failure_from_whatever_address(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        for n in 0..=FREE {
            let from = 2 + u8::try_from(n).unwrap();
            attempt(&nexus, from, "ada", "guess").await.refused(401, "Invalid credentials");
        }
        // The right password is refused as well, or the wait would tell which one is right.
        must_wait(&attempt(&nexus, 20, "ada", PASSWORD).await, 2);
        must_wait(&attempt(&nexus, 21, "ADA", "guess").await, 2);
        let mut from = 30;
        for seconds in [2, 4, 8] {
            wait(&nexus, seconds);
            attempt(&nexus, from, "ada", "guess").await.refused(401, "Invalid credentials");
            must_wait(&attempt(&nexus, from + 1, "ada", PASSWORD).await, seconds + 1);
            from += 2;
        }
        // Others are not held up.
        nexus.account("bob", "admin", &[]).await;
        assert_eq!(attempt(&nexus, 60, "bob", PASSWORD).await.status, 200);
        wait(&nexus, 9);
        assert_eq!(attempt(&nexus, 61, "ada", PASSWORD).await.status, 200);
        // A success begins anew.
        attempt(&nexus, 62, "ada", "guess").await.refused(401, "Invalid credentials");
        assert_eq!(attempt(&nexus, 63, "ada", PASSWORD).await.status, 200);
        nexus.stop().await;
    }

    #[cfg(target_os = "linux")]
    async fn an_address_must_wait_whatever_names_it_tries(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        for n in 0..=FREE {
            attempt(&nexus, 2, &format!("guest{n}"), "guess").await.refused(401, "Invalid credentials");
        }
        must_wait(&attempt(&nexus, 2, "ada", PASSWORD).await, 2);
        assert_eq!(attempt(&nexus, 3, "ada", PASSWORD).await.status, 200);
        wait(&nexus, 2);
        assert_eq!(attempt(&nexus, 2, "ada", PASSWORD).await.status, 200);
        // One good account does not give the address new guesses.
        attempt(&nexus, 2, "guest", "guess").await.refused(401, "Invalid credentials");
        must_wait(&attempt(&nexus, 2, "ada", PASSWORD).await, 3);
        nexus.stop().await;
    }

    #[cfg(target_os = "linux")]
    async fn an_unknown_name_must_wait_like_a_known_one(world: World) {
        let nexus = Nexus::serve(world).await;
        for n in 0..=FREE {
            let from = 2 + u8::try_from(n).unwrap();
            attempt(&nexus, from, "nobody", "guess").await.refused(401, "Invalid credentials");
        }
        must_wait(&attempt(&nexus, 20, "nobody", "guess").await, 2);
        nexus.stop().await;
    }

    #[cfg(target_os = "linux")]
    async fn guesses_that_come_all_at_once_do_not_slip_through(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let guesses = (0..24_u8).map(|n| attempt(&nexus, 2 + n, "ada", "guess"));
        let told = futures_util::future::join_all(guesses).await;
        assert!(told.iter().all(|answer| [401, 429].contains(&answer.status.as_u16())));
        let judged = told.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count();
        assert_eq!(judged, FREE + 1, "guesses were judged");
        nexus.stop().await;
    }

    async fn the_login_page_waits_too_and_says_so(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let mut browser = nexus.browser();
        for _ in 0..=FREE {
            assert_eq!(browser.log_in("ada", "guess").await.status, 422);
        }
        let page = browser.log_in("ada", PASSWORD).await;
        assert_eq!(page.status, 429);
        assert!(page.text.contains("Too many attempts. Try again in 2 seconds"), "{}", page.text);
        wait(&nexus, 2);
        assert_eq!(browser.log_in("ada", PASSWORD).await.status, 303);
        nexus.stop().await;
    }
}
