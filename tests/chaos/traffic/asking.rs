//! What was asked of the load balancer, and what was not answered.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::stand::repeat;
use crate::support::{Api, until};

#[derive(Default)]
pub struct Asked {
    answered: Mutex<Vec<Request>>,
    /// When those that are under way began, by their numbers.
    open: Mutex<HashMap<u64, Instant>>,
    next: AtomicU64,
}

struct Request {
    method: Method,
    begun: Instant,
    ended: Instant,
    failure: Option<Failure>,
}

/// A request without success.
#[derive(Clone, Debug)]
pub struct Failure {
    pub method: Method,
    /// `None` where nobody answered.
    pub status: Option<u16>,
    /// The path, and what is known of it.
    text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, status, text } = self;
        write!(f, "{method} {text} ({})", status.map_or("no answer".to_owned(), |status| status.to_string()))
    }
}

impl Asked {
    /// What was answered, if it was a success.
    pub async fn ask(&self, api: &Api, method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
        let (begun, number) = (Instant::now(), self.next.fetch_add(1, Ordering::Relaxed));
        self.open.lock().unwrap().insert(number, begun);
        let mut request = api.request(method.clone(), path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let (mut status, mut text, mut success) = (None, String::new(), None);
        match request.send().await {
            Ok(response) => {
                status = Some(response.status().as_u16());
                let good = response.status().is_success();
                match response.text().await {
                    Ok(found) if good => success = serde_json::from_str(&found).ok(),
                    Ok(found) => text = found,
                    Err(error) => text = format!("{error:?}"),
                }
            }
            Err(error) => text = format!("{error:?}"),
        }
        let of = method.clone();
        let failure =
            success.is_none().then(|| Failure { method: of, status, text: format!("{path}: {text}") });
        self.open.lock().unwrap().remove(&number);
        self.answered.lock().unwrap().push(Request { method, begun, ended: Instant::now(), failure });
        success
    }

    /// Waits until those that began before are answered, or have failed.
    pub async fn until_answered(&self, before: Instant) {
        until(&format!("requests end ({})", repeat()), || async {
            self.open.lock().unwrap().values().all(|begun| *begun >= before).then_some(())
        })
        .await;
    }

    pub fn count(&self) -> usize {
        self.answered.lock().unwrap().len()
    }

    /// Those that were under way at some time since then.
    pub fn failures_since(&self, begun: Instant) -> Vec<Failure> {
        let all = self.answered.lock().unwrap();
        all.iter().filter(|request| request.ended >= begun).filter_map(|it| it.failure.clone()).collect()
    }

    /// The longest time since then in which no request was answered with success.
    pub fn longest_silence_since(&self, begun: Instant) -> Duration {
        let all = self.answered.lock().unwrap();
        let mut ends: Vec<_> =
            all.iter().filter(|it| it.failure.is_none() && it.ended >= begun).map(|it| it.ended).collect();
        ends.sort_unstable();
        ends.push(Instant::now());
        let starts = std::iter::once(&begun).chain(&ends);
        starts.zip(&ends).map(|(from, to)| to.saturating_duration_since(*from)).max().unwrap_or_default()
    }

    /// The longest time that a request since then took until it was answered with success. Those that act wait for their operation.
    pub fn slowest_since(&self, begun: Instant) -> Duration {
        let all = self.answered.lock().unwrap();
        let answered =
            all.iter().filter(|it| it.failure.is_none() && it.ended >= begun && it.method == Method::GET);
        answered.map(|it| it.ended - it.begun).max().unwrap_or_default()
    }
}
