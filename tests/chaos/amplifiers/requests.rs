//! Requests whose answers would be larger than they are, or that cost more than they are worth.

use reqwest::{Method, RequestBuilder};

use super::shapes::shapes;
use crate::support::{Api, id};

/// Largest request body that is read.
const MAX_BODY: usize = 2 << 20;
/// What fits into a request's first line.
const MAX_QUERY: usize = 60_000;

/// Bodies, each with a place of its own for what is too much.
pub fn bodies(is_full: bool) -> Vec<(String, Vec<u8>)> {
    let places = [
        r#"{"kind":"redeliver","ids":"#,
        r#"{"kind":"redeliver","all":true,"edit":{"headers":{"remove":"#,
        r#"{"kind":"redeliver","all":true,"edit":{"headers":{"set":{"x":"#,
        r#"{"kind":"redeliver","all":true,"edit":{"headers":{"set":"#,
        r#"{"kind":"redeliver","all":true,"edit":{"patch":"#,
        r#"{"kind":"redeliver","all":true,"edit":{"patch":[{"op":"test","path":"/a","value":"#,
        r#"{"kind":"redeliver","all":true,"to":"#,
        r#"{"kind":"redeliver","all":true,"canary":"#,
        r#"{"kind":"redeliver","filter":"#,
        r#"{"kind":"redeliver","filter":{"service":"#,
        r#"{"planId":"#,
        r#"{"kind":"#,
        r#"{"action":"note","note":"#,
        r#"{"rate":"#,
        r#"{"x":"#,
        "",
    ];
    let small = ["numbers", "many keys", "empty strings"];
    let mut bodies = Vec::new();
    for (name, shape) in shapes(MAX_BODY - 200) {
        for place in places.iter().filter(|_| is_full || small.contains(&name)) {
            let close: String = place
                .chars()
                .rev()
                .filter_map(|c| match c {
                    '{' => Some('}'),
                    '[' => Some(']'),
                    _ => None,
                })
                .collect();
            bodies.push((format!("{place} {name}"), [place.as_bytes(), &shape, close.as_bytes()].concat()));
        }
    }
    bodies
}

/// Every endpoint that takes a body.
pub fn takers(api: &Api) -> Vec<RequestBuilder> {
    let some = id();
    [
        (Method::POST, "/operations".to_owned()),
        (Method::POST, "/operations/plan".into()),
        (Method::POST, "/operations/preview".into()),
        (Method::POST, "/dead-letters/redeliver".into()),
        (Method::POST, "/dead-letters/restore".into()),
        (Method::DELETE, "/dead-letters".into()),
        (Method::PATCH, format!("/operations/{some}")),
        (Method::PATCH, format!("/dead-letters/error-groups/{some}")),
    ]
    .into_iter()
    .map(|(method, path)| api.request(method, &path).header("content-type", "application/json"))
    .collect()
}

/// Every endpoint that takes a query, with each query.
pub fn queries() -> Vec<String> {
    let some = id();
    let paths = [
        "/dead-letters".to_owned(),
        "/dead-letters/error-groups".into(),
        "/dead-letters/histogram".into(),
        "/dead-letters/service-overview".into(),
        "/dead-letters/squad-overview".into(),
        "/operations".into(),
        format!("/operations/{some}"),
        format!("/operations/{some}/items"),
        format!("/operations/{some}/events"),
        format!("/operations/plan/{some}"),
        format!("/dead-letters/{some}"),
        format!("/dead-letters/{some}/body"),
        format!("/dead-letters/error-groups/{some}"),
    ];
    let repeated = |part: &str| part.repeat(MAX_QUERY / part.len());
    let queries = [
        repeated("&a"),
        repeated("a=%01&"),
        repeated("service=x&"),
        repeated("status=x&limit=0&from=x&to=x&minAttempt=0&errorGroup=x&"),
        format!("error={}", repeated("%01")),
        format!("contains={}", repeated("%22")),
        format!("cursor={}", repeated("A")),
        format!("{}=1", repeated("%01")),
        repeated("id=x&"),
        format!("order={}", repeated("%22")),
    ];
    let queried = paths.iter().flat_map(|path| queries.iter().map(move |query| format!("{path}?{query}")));
    let long = [format!("/dead-letters/{}", repeated("%01")), format!("/{}", repeated("a"))];
    queried.chain(long).collect()
}
