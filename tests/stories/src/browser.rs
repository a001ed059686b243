//! A person's browser, as far as the pages need one: it keeps cookies, and it sends a form as HTML says a form is sent.

use std::collections::BTreeMap;

use http::Method;
use http::header::{COOKIE, SET_COOKIE};

use crate::{Answer, Nexus, PASSWORD, http_client, send};

/// A browser of one person.
pub struct Browser<'a> {
    nexus: &'a Nexus,
    http: reqwest::Client,
    /// The cookies that it has.
    pub cookies: BTreeMap<String, String>,
}

/// A form of a page with what is filled in.
#[derive(Clone, Debug)]
pub struct Form {
    action: String,
    fields: Vec<(String, String)>,
    unticked: Vec<String>,
}

impl Nexus {
    /// A browser of somebody who has never been here.
    #[must_use]
    pub fn browser(&self) -> Browser<'_> {
        Browser { nexus: self, http: http_client(), cookies: BTreeMap::new() }
    }

    /// The browser of a new account that has logged in.
    pub async fn logged_in(&self, username: &str, role: &str) -> Browser<'_> {
        self.account(username, role, &[]).await;
        let mut browser = self.browser();
        let answer = browser.log_in(username, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }
}

impl Browser<'_> {
    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.http.request(Method::GET, format!("{}{path}", self.nexus.url));
        self.send(request).await
    }

    /// Sends a form.
    pub async fn submit(&mut self, form: &Form) -> Answer {
        let request = self.http.request(Method::POST, format!("{}{}", self.nexus.url, form.action)).form(&form.fields);
        self.send(request).await
    }

    /// Sends a form that holds its token alone.
    pub async fn post(&mut self, path: &str) -> Answer {
        self.post_with(path, &[]).await
    }

    /// Sends a form that holds its token and these fields.
    pub async fn post_with(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get("/password").await;
        let token = page.text.split("name=\"csrf\" value=\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap());
        let form: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", token)]).collect();
        let request = self.http.request(Method::POST, format!("{}{path}", self.nexus.url)).form(&form);
        self.send(request).await
    }

    /// Logs in by the page.
    pub async fn log_in(&mut self, username: &str, password: &str) -> Answer {
        let page = self.get("/login").await;
        let mut form = page.form("/login");
        form.set("username", username);
        form.set("password", password);
        self.submit(&form).await
    }

    /// Opens a page, changes its form and sends it.
    pub async fn edit(&mut self, path: &str, changes: &[(&str, &str)]) -> Answer {
        let mut form = self.get(path).await.form(path);
        for (name, value) in changes {
            form.set(name, value);
        }
        self.submit(&form).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        let answer = send(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

impl Form {
    /// Types a value; `on` or nothing ticks or unticks.
    pub fn set(&mut self, name: &str, value: &str) {
        if let Some(at) = self.unticked.iter().position(|unticked| unticked == name) {
            self.unticked.remove(at);
            self.fields.push((name.to_owned(), value.to_owned()));
            return;
        }
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        field.unwrap_or_else(|| panic!("the form has no field {name}")).1 = value.into();
    }

    /// Adds a field that a button or another tick of the same name sends.
    pub fn add(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// The form as a button sends it that has an address, a name and a value of its own.
    #[must_use]
    pub fn by(&self, action: &str, name: &str, value: &str) -> Self {
        let mut form = Self { action: action.to_owned(), ..self.clone() };
        form.add(name, value);
        form
    }

    /// Leaves a field out, as a tick that is taken away.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(field, _)| field != name);
    }

    /// What is filled in.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

impl Answer {
    /// The form of a page that is sent to this address.
    #[must_use]
    pub fn form(&self, action: &str) -> Form {
        let mut forms = self.text.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap_or(form));
        let html = forms
            .find(|form| attribute(form.split('>').next().unwrap_or_default(), "action").as_deref() == Some(action))
            .unwrap_or_else(|| panic!("no form for {action} in {} {}", self.status, self.text));
        let mut form = Form { action: action.to_owned(), fields: Vec::new(), unticked: Vec::new() };
        for (at, _) in html.match_indices('<') {
            let tag = &html[at + 1..];
            let head = tag.split('>').next().unwrap_or_default();
            let Some(name) = attribute(head, "name") else { continue };
            if tag.starts_with("input") {
                let value = attribute(head, "value").unwrap_or_default();
                if attribute(head, "type").as_deref() == Some("checkbox") && !head.contains(" checked") {
                    form.unticked.push(name);
                } else {
                    // An input has one line: HTML takes line breaks out of its value.
                    form.fields.push((name, value.replace(['\r', '\n'], "")));
                }
            } else if tag.starts_with("select") {
                let options = tag.split("</select>").next().unwrap_or_default().split("<option").skip(1);
                let options: Vec<(bool, String)> = options.map(option).collect();
                let chosen = options.iter().find(|(selected, _)| *selected).or(options.first());
                form.fields.push((name, chosen.map(|(_, value)| value.clone()).unwrap_or_default()));
            } else if tag.starts_with("textarea") {
                let text = tag.split_once('>').unwrap().1.split("</textarea>").next().unwrap_or_default();
                // The first line break belongs to the tag, and every line break is sent as CRLF.
                let text = unescape(text).replace("\r\n", "\n").replace('\r', "\n");
                let text = text.strip_prefix('\n').unwrap_or(&text);
                form.fields.push((name, text.replace('\n', "\r\n")));
            }
        }
        form
    }
}

/// Whether an option is selected, and its value: its text, of which HTML collapses the blanks, unless it says another.
fn option(tag: &str) -> (bool, String) {
    let (head, text) = tag.split_once('>').unwrap();
    let text = || text.split("</option>").next().unwrap().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let value = attribute(head, "value").unwrap_or_else(|| unescape(&text()));
    (head.contains(" selected"), value)
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!(" {name}=\""))?;
    Some(unescape(rest.split('"').next().unwrap_or_default()))
}

fn unescape(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
