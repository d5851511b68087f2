//! A real OIDC issuer (`scripts/issuer`), and the browser of somebody who signs in there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;

use crate::support::{free_address, until};

/// The client that the issuer knows.
pub const CLIENT: &str = "dead-letter-cli";

/// Ends with the value.
pub struct Issuer {
    pub url: String,
    child: Child,
}

impl Issuer {
    /// Starts one, and waits until it answers.
    pub async fn start() -> Self {
        let address = free_address();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/issuer/issuer.mjs");
        let mut command = Command::new("node");
        command.arg(script).env("ISSUER_ADDR", &address);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let issuer = Self { url: format!("http://{address}"), child };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let document = format!("{}/.well-known/openid-configuration", issuer.url);
        until("the issuer answers", || async { reqwest::get(&document).await.ok() }).await;
        issuer
    }

    /// The answer to a form of the client: status and JSON.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let form = [&[("client_id", CLIENT)], form].concat();
        let request = reqwest::Client::new().post(format!("{}{path}", self.url));
        let answer = with_form(request, &form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Enters the code, and answers as this user, or refuses. Returns the last page.
    pub async fn answer(&self, code: &str, user: Option<&str>) -> String {
        let mut browser = Browser::default();
        let device = format!("{}/device", self.url).parse::<Url>().unwrap();
        let (_, page) = browser.open(Method::GET, device.clone(), &[]).await;
        let (_, rest) = page.split_once("name=\"xsrf\" value=\"").unwrap();
        let forgery = rest.split('"').next().unwrap();
        let form = [("user_code", code), ("xsrf", forgery)];
        let (_, page) = browser.open(Method::POST, device.clone(), &form).await;
        assert!(page.contains(&format!("<strong>{code}</strong>")), "the page shows the code: {page}");
        let decision = if user.is_some() { ("confirm", "yes") } else { ("abort", "yes") };
        let (who, page) = browser.open(Method::POST, device, &[&form[..], &[decision]].concat()).await;
        match user {
            Some(user) => browser.open(Method::POST, who, &[("user", user)]).await.1,
            None => page,
        }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_form(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let body = serde_html_form::to_string(form).unwrap();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

/// Follows redirects, and keeps the cookies of the only site that it visits.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// The page, and where it is.
    async fn open(&mut self, method: Method, url: Url, form: &[(&str, &str)]) -> (Url, String) {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        let mut request = with_form(client.request(method, url.clone()), form);
        let mut here = url;
        loop {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = answer.headers().get(LOCATION) else {
                return (here, answer.text().await.unwrap());
            };
            here = here.join(location.to_str().unwrap()).unwrap();
            request = client.get(here.clone());
        }
    }
}
