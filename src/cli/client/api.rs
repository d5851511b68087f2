//! The HTTP API as the client asks it.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, Url};
use serde_json::Value;

use super::connection::Connection;
use super::ending::Failure;

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than the slowest search, and than freezing a large selection.
const ANSWER: Duration = Duration::from_mins(2);

/// A query: names and values.
pub(super) type Pairs = Vec<Pair>;
pub(super) type Pair = (Cow<'static, str>, String);

/// An answer that is not an error.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// As it came, for scripts.
    pub(super) text: String,
    pub(super) json: Value,
}

/// A client of one server.
#[derive(Clone, Debug)]
pub(super) struct Api {
    client: reqwest::Client,
    base: String,
    /// For people: without what is secret.
    name: String,
}

impl Api {
    pub(super) fn new(connection: Connection) -> Result<Self, Failure> {
        let authorization = connection.authorization.map(|value| (AUTHORIZATION, value));
        let client = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter(authorization))
            .user_agent(concat!("dead-letter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()
            .map_err(|error| Failure::Failed(format!("no HTTP client can be made: {error}")))?;
        let mut server = connection.server;
        server.set_query(None);
        server.set_fragment(None);
        let base = server.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, base, name: without_secrets(server) })
    }

    pub(super) async fn get(&self, path: &str, pairs: &[Pair]) -> Result<Answer, Failure> {
        let query = serde_html_form::to_string(pairs)
            .map_err(|error| Failure::Failed(format!("the query cannot be written: {error}")))?;
        let separator = if query.is_empty() { "" } else { "?" };
        self.send(Method::GET, &format!("{path}{separator}{query}"), None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.no_answer(error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| self.no_answer(error))?;
        let json = serde_json::from_str(&text);
        match json {
            Ok(json) if status.is_success() => Ok(Answer { text, json }),
            Ok(json) => Err(Failure::Api { status: status.as_u16(), lines: said(&json, status) }),
            Err(_) if status.is_success() => Err(Failure::Failed(format!(
                "{} answers, but not in JSON: is that the URL of dead-letter's API?",
                self.name
            ))),
            Err(_) => {
                let lines = vec![format!("{} answers {status}", self.name)];
                Err(Failure::Api { status: status.as_u16(), lines })
            }
        }
    }

    fn no_answer(&self, error: reqwest::Error) -> Failure {
        let connected = !error.is_connect();
        // The innermost cause says what happened: "Connection refused".
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Failure::NoAnswer { message: format!("no answer from {}: {cause}", self.name), connected }
    }
}

fn without_secrets(mut url: Url) -> String {
    // A URL that can have neither has none to hide.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// What is wrong, as the API says it: a line for each field, or the detail.
fn said(problem: &Value, status: reqwest::StatusCode) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let fields: Vec<_> = errors
        .iter()
        .map(|error| format!("{}: {}", text(&error["field"]), text(&error["message"])))
        .collect();
    let detail = match &problem["detail"] {
        Value::String(detail) => detail.clone(),
        _ => format!("the server answers {status}"),
    };
    // Where the detail is all of them in one line, they need not be said twice.
    if !fields.is_empty() && fields.join("; ") == detail { fields } else { [vec![detail], fields].concat() }
}
