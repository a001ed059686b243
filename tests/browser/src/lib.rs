//! A real browser (Chromium, driven over `WebDriver`) before a Nexus that serves HTTPS.
//!
//! `NEXUS_TEST_CHROMIUM` and `NEXUS_TEST_CHROMEDRIVER` name the two programs where they are not in the usual place.

#![expect(
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "this crate serves tests only"
)]

use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use nexus_tests::{Nexus, PASSWORD};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The program that judges whether everybody can use a page.
const AXE: &str = include_str!(concat!(env!("OUT_DIR"), "/node_modules/axe-core/axe.min.js"));
/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a driver that ends is started again.
const STARTS: usize = 5;

/// How the browser is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Whether it runs scripts.
    pub scripts: bool,
    /// Width and height of the window.
    pub size: (u32, u32),
}

impl Default for Setup {
    fn default() -> Self {
        Self { scripts: true, size: (1280, 900) }
    }
}

/// A browser of somebody.
pub struct Chrome {
    driver: Child,
    address: String,
    url: String,
    client: Client,
    /// Where it keeps what it keeps.
    _profile: tempfile::TempDir,
}

fn program(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

impl Chrome {
    /// A new browser that has never been anywhere, before this Nexus.
    pub async fn open(nexus: &Nexus, setup: Setup) -> Self {
        let (driver, port) = Self::driver().await;
        let profile = tempfile::tempdir().unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(setup, &profile));
        let client = builder.connect(&address).await.unwrap();
        Self { driver, address, url: nexus.url.clone(), client, _profile: profile }
    }

    /// A driver at work, and its port. The one that it chooses it takes on two networks, and it ends where another has come
    /// between; then there is another try.
    async fn driver() -> (Child, String) {
        for _ in 0..STARTS {
            let mut driver = Command::new(program("NEXUS_TEST_CHROMEDRIVER", "/usr/bin/chromedriver"))
                .arg("--port=0")
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .unwrap_or_else(|error| {
                    panic!("ChromeDriver does not start ({error}): install chromium and chromium-driver")
                });
            let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, port)) = line.split_once("successfully on port ") {
                    // Whoever reads no more would make the driver wait.
                    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                    return (driver, port.trim_end_matches('.').to_owned());
                }
            }
        }
        panic!("ChromeDriver ended {STARTS} times before it listened");
    }

    /// A browser in which somebody has logged in.
    pub async fn logged_in(nexus: &Nexus, username: &str, role: &str) -> Self {
        nexus.account(username, role, &[]).await;
        let chrome = Self::open(nexus, Setup::default()).await;
        chrome.log_in(username).await;
        chrome
    }

    /// Logs in by the page.
    pub async fn log_in(&self, username: &str) {
        self.go("/login").await;
        self.fill("username", username).await;
        self.fill("password", PASSWORD).await;
        self.press("Log in").await;
        self.sees("Log out").await;
    }

    /// Opens a page.
    pub async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    /// The path of the page that is shown.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.url).unwrap().to_owned()
    }

    /// The status that the page came with.
    pub async fn status(&self) -> Value {
        self.script("return performance.getEntriesByType('navigation')[0].responseStatus").await
    }

    /// The one element of a CSS selector, as soon as it is there.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        match found {
            Ok(found) => found,
            Err(error) => panic!("no {css} on {} ({error}):\n{}", self.path().await, self.text().await),
        }
    }

    /// How many elements a CSS selector finds.
    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    /// Types into the field of a name, in place of what is in it.
    pub async fn fill(&self, name: &str, value: &str) {
        let field = self.find(&format!("main [name=\"{name}\"]")).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    /// Presses the button, or follows the link, that reads so.
    pub async fn press(&self, label: &str) {
        let path =
            format!("//main//*[self::a or self::button or self::summary][starts-with(normalize-space(), \"{label}\")]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        match found {
            Ok(found) => found.click().await.unwrap(),
            Err(error) => {
                panic!("nothing to press reads {label} on {} ({error}):\n{}", self.path().await, self.text().await)
            }
        }
    }

    /// Presses a key where the cursor is.
    pub async fn key(&self, key: Key) {
        let active = self.client.active_element().await.unwrap();
        active.send_keys(&String::from(char::from(key))).await.unwrap();
    }

    /// Types where the cursor is.
    pub async fn types(&self, text: &str) {
        self.client.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    /// What the page shows.
    pub async fn text(&self) -> String {
        // The menus that are folded belong to the page as well.
        let text = self.client.find(Locator::Css("body")).await.unwrap().prop("textContent").await.unwrap();
        text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Waits until the page shows a text.
    pub async fn sees(&self, text: &str) {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            // A page that is just being replaced has no text.
            if let Ok(body) = self.client.find(Locator::Css("body")).await
                && let Ok(Some(shown)) = body.prop("textContent").await
                && shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(text)
            {
                return;
            }
            assert!(
                std::time::Instant::now() < until,
                "{text:?} does not appear on {}:\n{}",
                self.path().await,
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a script in the page and gives back what it returns.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What is wrong with the page for those who cannot see it, or see it badly.
    pub async fn barriers(&self) -> Value {
        let script = format!(
            "{AXE}; const done = arguments[arguments.length - 1]; axe.run().then((result) => done(result.violations.map((one) => \
             [one.id, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + \" \" + node.failureSummary)])));"
        );
        self.client.execute_async(&script, Vec::new()).await.unwrap()
    }

    /// What the page loaded from elsewhere.
    pub async fn foreign(&self) -> Value {
        self.script(
            "return performance.getEntriesByType('resource').map((one) => one.name).filter((name) => !name.startsWith(location.origin + '/'))",
        )
        .await
    }

    /// What the browser has complained of since it was last asked: scripts that failed, what the pages' policy forbids.
    pub async fn complaints(&self) -> Vec<String> {
        let session = self.client.session_id().await.unwrap().unwrap();
        let asked = reqwest::Client::new().post(format!("{}/session/{session}/se/log", self.address));
        let answer: Value = asked.json(&json!({"type": "browser"})).send().await.unwrap().json().await.unwrap();
        let lines = answer["value"].as_array().unwrap_or_else(|| panic!("{answer}"));
        // What the browser would advise is no complaint.
        let graver = lines.iter().filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING");
        let told = graver.map(|line| line["message"].as_str().unwrap_or_default().to_owned());
        // That an answer was an error is the page's to say, and the browser's to note.
        told.filter(|line| !line.contains("Failed to load resource")).collect()
    }

    /// What was copied last, pasted into the search.
    pub async fn pasted(&self) -> String {
        let field = self.find("#find").await;
        field.send_keys(&format!("{}v", char::from(Key::Control))).await.unwrap();
        field.prop("value").await.unwrap().unwrap_or_default()
    }

    /// A picture of the page, PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }

    /// Closes the browser.
    pub async fn close(mut self) {
        self.client.close().await.unwrap();
        self.driver.kill().await.unwrap();
    }
}

fn capabilities(setup: Setup, profile: &tempfile::TempDir) -> Map<String, Value> {
    let (width, height) = setup.size;
    let mut args: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--force-prefers-reduced-motion",
    ]
    .map(str::to_owned)
    .into();
    args.push(format!("--window-size={width},{height}"));
    args.push(format!("--user-data-dir={}", profile.path().display()));
    let scripts = if setup.scripts { 1 } else { 2 };
    let mut options = json!({
        "binary": program("NEXUS_TEST_CHROMIUM", "/usr/bin/chromium"),
        "args": args,
        "prefs": {"profile.managed_default_content_settings.javascript": scripts},
    });
    // No window is narrower than this; a telephone is.
    if width < 500 {
        options["mobileEmulation"] =
            json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 1.0, "mobile": false}});
    }
    let mut capabilities = Map::new();
    capabilities.insert("acceptInsecureCerts".to_owned(), true.into());
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}));
    capabilities
}
