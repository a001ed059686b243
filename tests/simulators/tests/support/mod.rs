//! A small client of either simulator, with none of the care that a real one takes.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::expect_used, reason = "a test's helper fails the test")]

use std::sync::Once;

use nexus_simulators::{Datto, Freshservice, Size};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

pub(crate) const SMALL: Size = Size { companies: 25, contacts: 130, devices: 600 };

pub(crate) fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Plain HTTP needs no TLS, but the client's builder does.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().build().expect("a client")
}

pub(crate) struct Fresh {
    pub(crate) vendor: Freshservice,
    pub(crate) http: reqwest::Client,
}

impl Fresh {
    pub(crate) async fn start() -> Self {
        Self::with(SMALL).await
    }

    pub(crate) async fn with(size: Size) -> Self {
        Self { vendor: Freshservice::start(size, 1).await.expect("a port"), http: http() }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.at(&format!("{}/api/v2{path}", self.vendor.base_url()))
    }

    pub(crate) fn at(&self, url: &str) -> RequestBuilder {
        self.http.get(url).basic_auth(self.vendor.api_key(), Some("X"))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}/api/v2{path}", self.vendor.base_url());
        self.http.put(url).basic_auth(self.vendor.api_key(), Some("X")).json(body)
    }

    /// All records of a list, by way of its next links, and how many pages there were.
    pub(crate) async fn sweep(&self, path: &str, key: &str) -> (Vec<Value>, usize) {
        let mut url = Some(format!("{}/api/v2{path}", self.vendor.base_url()));
        let (mut records, mut pages) = (Vec::new(), 0);
        while let Some(at) = url {
            let response = self.at(&at).send().await.expect("an answer");
            url = next_link(&response);
            records.extend(list(&json(response).await, key));
            pages += 1;
        }
        (records, pages)
    }
}

pub(crate) struct Rmm {
    pub(crate) vendor: Datto,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl Rmm {
    pub(crate) async fn start() -> Self {
        Self::with(SMALL).await
    }

    pub(crate) async fn with(size: Size) -> Self {
        let vendor = Datto::start(size, 1).await.expect("a port");
        let mut rmm = Self { vendor, http: http(), token: String::new() };
        rmm.renew().await;
        rmm
    }

    pub(crate) fn token_call(&self, key: &str, secret: &str) -> RequestBuilder {
        self.http
            .post(format!("{}/auth/oauth/token", self.vendor.base_url()))
            .basic_auth("public-client", Some("public"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type=password&username={key}&password={secret}"))
    }

    pub(crate) async fn renew(&mut self) {
        let call = self.token_call(self.vendor.api_key(), self.vendor.api_secret());
        let token = json(call.send().await.expect("an answer")).await;
        token["access_token"].as_str().expect("a token").clone_into(&mut self.token);
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.at(&format!("{}/api/v2{path}", self.vendor.base_url()))
    }

    pub(crate) fn at(&self, url: &str) -> RequestBuilder {
        self.http.get(url).bearer_auth(&self.token)
    }

    pub(crate) fn write(&self, method: reqwest::Method, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}/api/v2{path}", self.vendor.base_url());
        self.http.request(method, url).bearer_auth(&self.token).json(body)
    }

    pub(crate) async fn sweep(&self, path: &str, key: &str) -> (Vec<Value>, usize) {
        let mut url = Some(format!("{}/api/v2{path}", self.vendor.base_url()));
        let (mut records, mut pages) = (Vec::new(), 0);
        while let Some(at) = url {
            let body = json(self.at(&at).send().await.expect("an answer")).await;
            url = body["pageDetails"]["nextPageUrl"].as_str().map(str::to_owned);
            records.extend(list(&body, key));
            pages += 1;
        }
        (records, pages)
    }
}

pub(crate) async fn json(response: Response) -> Value {
    response.json().await.expect("JSON")
}

pub(crate) async fn body(call: RequestBuilder) -> Value {
    json(call.send().await.expect("an answer")).await
}

pub(crate) async fn status(call: RequestBuilder) -> StatusCode {
    call.send().await.expect("an answer").status()
}

pub(crate) fn list(body: &Value, key: &str) -> Vec<Value> {
    body[key].as_array().expect("a list").clone()
}

pub(crate) fn next_link(response: &Response) -> Option<String> {
    let link = response.headers().get("link")?.to_str().ok()?;
    Some(link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?.to_owned())
}
