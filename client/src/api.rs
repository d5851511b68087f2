//! Requests to the HTTP API.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::connection::{Authorization, Connection};
use crate::ending::Failure;

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than the slowest search and the freeze of the largest selection take.
const ANSWER: Duration = Duration::from_mins(2);

pub(crate) type Pairs = Vec<Pair>;
pub(crate) type Pair = (Cow<'static, str>, String);

/// A successful answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The body as it was received, for `--json`.
    pub(crate) text: String,
    pub(crate) json: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: reqwest::Client,
    base: String,
    /// The base URL without user and password, for messages.
    name: String,
    authorization: Authorization,
    /// How to sign in.
    login: String,
}

impl Api {
    pub(crate) fn new(connection: Connection) -> Result<Self, Failure> {
        let Connection { mut server, authorization, login } = connection;
        let client = reqwest::Client::builder()
            .user_agent(concat!("dead-letter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()
            .map_err(|error| Failure::Failed(format!("Cannot create an HTTP client: {error}")))?;
        server.set_query(None);
        server.set_fragment(None);
        let base = server.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, base, name: without_secrets(server), authorization, login })
    }

    pub(crate) async fn get(&self, path: &str, pairs: &[Pair]) -> Result<Answer, Failure> {
        let query = serde_html_form::to_string(pairs)
            .map_err(|error| Failure::Failed(format!("Cannot encode the query: {error}")))?;
        let separator = if query.is_empty() { "" } else { "?" };
        self.send(Method::GET, &format!("{path}{separator}{query}"), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let header = match &self.authorization {
            Authorization::None => None,
            Authorization::Token(header) => Some(header.clone()),
            Authorization::SignIn(sign_in) => Some(sign_in.header().await?),
        };
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        let response = request.send().await.map_err(|error| self.no_answer(error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| self.no_answer(error))?;
        let json = serde_json::from_str(&text);
        match json {
            Ok(json) if status.is_success() => Ok(Answer { text, json }),
            Ok(json) => {
                let mut lines = problems(&json, status);
                lines.extend(self.advice(status));
                Err(Failure::Api { status: status.as_u16(), lines })
            }
            Err(_) if status.is_success() => Err(Failure::Failed(format!(
                "{} answered, but not in JSON. Is this the URL of the dead-letter API?",
                self.name
            ))),
            Err(_) => {
                let answered = format!("{} answered {status}.", self.name);
                let lines = [answered].into_iter().chain(self.advice(status)).collect();
                Err(Failure::Api { status: status.as_u16(), lines })
            }
        }
    }

    /// What to do about a refusal.
    fn advice(&self, status: StatusCode) -> Option<String> {
        let login = &self.login;
        (status == StatusCode::UNAUTHORIZED).then(|| match self.authorization {
            Authorization::SignIn(_) => format!("Your sign-in was not accepted. Run: {login}"),
            Authorization::Token(_) => {
                format!("Your token was not accepted. Set DEAD_LETTER_TOKEN to another one, or run: {login}")
            }
            Authorization::None => format!("Run: {login}, or set DEAD_LETTER_TOKEN"),
        })
    }

    fn no_answer(&self, error: reqwest::Error) -> Failure {
        let connected = !error.is_connect();
        Failure::NoAnswer {
            message: format!("No answer from {}: {}", self.name, innermost(error)),
            connected,
        }
    }
}

/// The innermost cause, which is the useful one: "Connection refused".
pub(crate) fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// A URL without user and password.
pub(crate) fn without_secrets(mut url: Url) -> String {
    // Both fail only for URLs that cannot have a user or a password.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// The problems in an error of the API: one line per field, or the detail.
fn problems(problem: &Value, status: StatusCode) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let fields: Vec<_> = errors
        .iter()
        .map(|error| format!("{}: {}", text(&error["field"]), text(&error["message"])))
        .collect();
    let detail = match &problem["detail"] {
        Value::String(detail) => detail.clone(),
        _ => format!("The server answered {status}."),
    };
    // The detail may repeat all fields in one line.
    if !fields.is_empty() && fields.join("; ") == detail { fields } else { [vec![detail], fields].concat() }
}
