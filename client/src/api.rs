//! Requests to the HTTP API.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::Value;

use crate::connection::{Authorization, Connection};
use crate::ending::Failure;

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than the slowest search and the freeze of the largest selection take.
const ANSWER: Duration = Duration::from_mins(2);

/// Longest wait for a server that has too many requests of this caller.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// What the server calls that. Nothing was done then.
const TOO_MANY_REQUESTS: &str = "too-many-requests";

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

    /// Sends a request. While the server has too many of this caller, it does nothing, and is asked again when it says.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let begun = Instant::now();
        loop {
            let failure = match self.send_once(method.clone(), path, body).await {
                Err(failure) => failure,
                answered => return answered,
            };
            let Failure::Api { retry_after: Some(pause), .. } = failure else { return Err(failure) };
            if begun.elapsed() + pause > LONGEST_PAUSE {
                return Err(failure);
            }
            crate::remark_line!(
                "dead-letter: too many requests: the server asks to wait {} s",
                pause.as_secs()
            );
            tokio::time::sleep(pause).await;
        }
    }

    async fn send_once(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let is_read = method == Method::GET;
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
        let pause = retry_after(&response);
        let text = response.text().await.map_err(|error| self.no_answer(error))?;
        let json = serde_json::from_str(&text);
        match json {
            Ok(json) if status.is_success() => Ok(Answer { text, json }),
            Ok(json) => {
                let mut lines = problems(&json, status);
                lines.extend(self.advice(status));
                let is_harmless = is_read || json["type"] == TOO_MANY_REQUESTS;
                Err(Failure::Api {
                    status: status.as_u16(),
                    lines,
                    retry_after: pause.filter(|_| is_harmless),
                })
            }
            Err(_) if status.is_success() => Err(Failure::Failed(format!(
                "{} answered, but not in JSON. Is this the URL of the dead-letter API?",
                self.name
            ))),
            Err(_) => {
                let answered = format!("{} answered {status}.", self.name);
                let lines = [answered].into_iter().chain(self.advice(status)).collect();
                Err(Failure::Api { status: status.as_u16(), lines, retry_after: pause.filter(|_| is_read) })
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

/// How long to wait, if there were too many requests.
fn retry_after(response: &Response) -> Option<Duration> {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
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
