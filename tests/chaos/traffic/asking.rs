//! What was asked of the load balancer, and what was not answered.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::support::Api;

#[derive(Default)]
pub struct Asked {
    all: Mutex<Vec<Request>>,
}

struct Request {
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
    /// What is known of it.
    pub text: String,
}

impl Asked {
    /// What was answered, if it was a success.
    pub async fn ask(&self, api: &Api, method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
        let begun = Instant::now();
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
        let failure = success.is_none().then(|| Failure { method, status, text: format!("{path}: {text}") });
        if let Some(failure) = &failure {
            println!("{failure:?}");
        }
        let request = Request { begun, ended: Instant::now(), failure };
        self.all.lock().unwrap().push(request);
        success
    }

    pub fn count(&self) -> usize {
        self.all.lock().unwrap().len()
    }

    /// Those that were under way at some time since then.
    pub fn failures_since(&self, begun: Instant) -> Vec<Failure> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|request| request.ended >= begun).filter_map(|it| it.failure.clone()).collect()
    }

    /// The longest time since then in which no request was answered with success.
    pub fn longest_silence_since(&self, begun: Instant) -> Duration {
        let all = self.all.lock().unwrap();
        let mut ends: Vec<_> =
            all.iter().filter(|it| it.failure.is_none() && it.ended >= begun).map(|it| it.ended).collect();
        ends.sort_unstable();
        ends.push(Instant::now());
        let starts = std::iter::once(&begun).chain(&ends);
        starts.zip(&ends).map(|(from, to)| to.saturating_duration_since(*from)).max().unwrap_or_default()
    }

    /// The longest time that a request since then took until it was answered with success.
    pub fn slowest_since(&self, begun: Instant) -> Duration {
        let all = self.all.lock().unwrap();
        let answered = all.iter().filter(|it| it.failure.is_none() && it.ended >= begun);
        answered.map(|it| it.ended - it.begun).max().unwrap_or_default()
    }
}
