//! The page that shows the OpenAPI document loads nothing from anywhere else.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::io::Read as _;

use flate2::read::GzDecoder;
use http::Method;
use nexus_test_databases::both;
use nexus_tests::{Nexus, send};

/// The addresses that a page names, in their order.
fn addresses(html: &str) -> Vec<String> {
    let tags = html.split('<').filter_map(|tag| tag.split('>').next());
    tags.flat_map(|tag| ["src=\"", "href=\"", "action=\""].map(|name| tag.split(name).nth(1)))
        .flatten()
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Those of them that a browser loads by itself.
fn files(html: &str) -> Vec<String> {
    let mut files: Vec<_> = addresses(html).into_iter().filter(|address| address.starts_with("/static/")).collect();
    files.sort();
    files.dedup();
    files
}

both! {
    async fn anyone_sees_the_document_as_a_page_without_a_login(world: World) {
        let nexus = Nexus::serve(world).await;
        let page = nexus.nobody().get("/api/docs").await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), "no-store");
        let script = nexus.nobody().get(nexus_statics::DOCS_JS).await;
        assert!(script.text.contains("\"/api/openapi.json\"") && page.text.contains("id=\"docs\""));
        assert!(script.text.contains("validatorUrl: null"), "no address is sent to a validator");
        let person = nexus.logged_in("client", "client").await.get("/api/docs").await;
        assert!(person.status == 200 && person.text.contains("Log out"), "{}", person.text);
        nexus.stop().await;
    }

    async fn the_page_names_no_other_origin_and_holds_nothing_inline(world: World) {
        let nexus = Nexus::serve(world).await;
        let page = nexus.nobody().get("/api/docs").await;
        let named = addresses(&page.text);
        assert!(!named.is_empty());
        for address in named {
            assert!(address.starts_with('/') && !address.starts_with("//") || address.starts_with('#'), "{address}");
        }
        let html = page.text.to_lowercase();
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<style"), "{html}");
        for script in html.split("<script").skip(1) {
            let (tag, rest) = script.split_once('>').unwrap();
            assert!(tag.contains("src=\"/static/") && rest.starts_with("</script>"), "{script}");
        }
        for tag in html.split('<').filter_map(|tag| tag.split('>').next()) {
            let names: String = tag.split('"').step_by(2).collect();
            assert!(!names.contains("style=") && !names.contains(" on"), "<{tag}>");
        }
        nexus.stop().await;
    }

    async fn the_policy_differs_from_that_of_other_pages_by_drawn_pictures_alone(world: World) {
        let nexus = Nexus::serve(world).await;
        let nobody = nexus.nobody();
        let (docs, login) = (nobody.get("/api/docs").await, nobody.get("/login").await);
        let policy = docs.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(policy.replace("img-src 'self' data:;", "img-src 'self';"), login.header("content-security-policy"));
        assert_ne!(policy, login.header("content-security-policy"));
        nexus.stop().await;
    }

    async fn all_that_the_page_loads_is_served_and_kept_until_the_next_version(world: World) {
        let nexus = Nexus::serve(world).await;
        let nobody = nexus.nobody();
        let page = nobody.get("/api/docs").await;
        let files = files(&page.text);
        for file in [nexus_statics::NEXUS_CSS, nexus_statics::ICON_SVG, nexus_statics::DOCS_JS, nexus_statics::SWAGGER_UI_CSS] {
            assert!(files.iter().any(|known| known == file), "{file}: {files:?}");
        }
        for file in files {
            let name = file.split('#').next().unwrap();
            let kind = match name.rsplit('.').next().unwrap() {
                "css" => "text/css; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                _ => "image/svg+xml",
            };
            let answer = nobody.get(&file).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, kind), "{file}");
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{file}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{file}");
            assert!(!answer.text.is_empty(), "{file}");
        }
        for none in ["/static/swagger-ui-bundle.js", "/static/nexus.css", "/api/docs/index.html"] {
            assert_eq!(nobody.get(none).await.status, 404, "{none}");
        }
        nexus.stop().await;
    }

    async fn the_files_of_swagger_ui_are_compressed_for_those_who_read_that(world: World) {
        let nexus = Nexus::serve(world).await;
        let nobody = nexus.nobody();
        for (path, part) in [(nexus_statics::SWAGGER_UI_BUNDLE_JS, "SwaggerUIBundle"), (nexus_statics::TABLER_CSS, ".card")] {
            let plain = nobody.get(path).await;
            assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"), "{path}");
            assert!(plain.text.contains(part), "{path}");
            for (accepted, expected) in [
                ("gzip", "gzip"), ("gzip, deflate, br, zstd", "gzip"), ("br;q=1, GZIP;q=0.5", "gzip"), ("*", "gzip"),
                ("identity", ""), ("br", ""), ("gzip;q=0", ""), ("gzip; q=0.000, *", ""), ("gzip;q=x", ""), ("", ""),
            ] {
                let request = nobody.request(Method::GET, path).header("accept-encoding", accepted);
                let answer = request.send().await.unwrap();
                let told = answer.headers().get("content-encoding").map_or("", |value| value.to_str().unwrap()).to_owned();
                assert_eq!((told.as_str(), answer.status().as_u16()), (expected, 200), "{path} {accepted}");
                let body = answer.bytes().await.unwrap();
                let mut text = String::new();
                if expected.is_empty() {
                    text = String::from_utf8(body.to_vec()).unwrap();
                } else {
                    assert!(body.len() * 3 < plain.text.len(), "{path}: {} bytes", body.len());
                    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
                }
                assert!(text == plain.text, "{path} {accepted}");
            }
            let head = send(nobody.request(Method::HEAD, path).header("accept-encoding", "gzip")).await;
            assert_eq!((head.status.as_u16(), head.header("content-encoding"), head.text.as_str()), (200, "gzip", ""));
        }
        nexus.stop().await;
    }
}
