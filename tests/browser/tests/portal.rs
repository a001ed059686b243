//! What a client sees.

use nexus_browser::{Chrome, Setup};
use nexus_core::Entity;
use nexus_test_databases::both;
use nexus_tests::Nexus;
use serde_json::json;

both! {
    async fn a_client_sees_its_company_and_nothing_else(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        let own = nexus.company("1", "Own Company").await;
        nexus.company("2", "Another Company").await;
        nexus.record(Entity::Asset, &json!({"hostname": "OWN-PC", "company_id": own})).await;
        nexus.record(Entity::Asset, &json!({"hostname": "ANOTHER-PC"})).await;
        nexus.account("client", "client", &[own]).await;
        let client = Chrome::open(&nexus, Setup::default()).await;
        client.log_in("client").await;
        assert_eq!(client.path().await, "/companies/1");
        assert!(!client.text().await.contains("Edit"));
        client.go("/assets").await;
        client.sees("OWN-PC").await;
        assert!(!client.text().await.contains("ANOTHER-PC") && client.count("input[name=id]").await == 0);
        for path in ["/companies/2", "/companies", "/settings/jobs", "/sync", "/history", "/companies/1/history"] {
            client.go(path).await;
            let shown = client.text().await;
            assert!(shown.contains("403") || shown.contains("404"), "{path}: {shown}");
            assert!(!shown.contains("Another Company"), "{path}");
        }
        client.close().await;
        nexus.stop().await;
    }
}
