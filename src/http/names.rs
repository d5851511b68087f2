//! Which names the service answers to while nobody has to sign in. A page of another site can have its own name lead to this
//! machine (DNS rebinding), and a browser then takes this service for a part of that site: only the names in the request tell.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::problem::Problem;
use crate::tls::is_loopback;

/// Refuses requests to another name than this machine's own, and those of other sites' pages.
pub async fn loopback_only(request: Request, next: Next) -> Response {
    match foreign_name(request.headers()) {
        None => next.run(request).await,
        Some(name) => refusal(&name).into_response(),
    }
}

fn refusal(name: &str) -> ApiError {
    let detail = format!(
        "{name} is not a name of this machine. Without authentication the API only answers to localhost, 127.0.0.1 and [::1]. Set \
         DEAD_LETTER_UNAUTHENTICATED=yes to allow every name."
    );
    ApiError::new(Problem::FOREIGN_NAME, detail)
}

/// What the request says in `Host` or `Origin` that is not this machine.
fn foreign_name(headers: &HeaderMap) -> Option<String> {
    let host = text(headers, header::HOST).unwrap_or_default();
    if !host.parse::<Authority>().is_ok_and(|authority| is_loopback(authority.host())) {
        return Some(format!("host {host:?}"));
    }
    let origin = text(headers, header::ORIGIN)?;
    let is_ours = origin
        .parse::<Uri>()
        .is_ok_and(|origin| origin.authority().is_some_and(|authority| is_loopback(authority.host())));
    (!is_ours).then(|| format!("origin {origin:?}"))
}

/// A header as text; one that is no text is not ours.
fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn foreign(host: &'static str, origin: Option<&'static str>) -> Option<String> {
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
        headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
        foreign_name(&headers)
    }

    #[test]
    fn names_of_this_machine() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.8.9.1", "[::1]", "[::1]:8080"] {
            assert_eq!(foreign(host, None), None, "{host}");
        }
        assert_eq!(foreign("localhost:8080", Some("http://localhost:3000")), None);
        assert_eq!(foreign("localhost:8080", Some("https://[::1]:3000")), None);
    }

    #[test]
    fn other_names() {
        for host in
            ["rebound.evil.example:8080", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "", "[::2]", "a b"]
        {
            assert_eq!(foreign(host, None), Some(format!("host {host:?}")));
        }
        for origin in ["http://rebound.evil.example", "null", "", "http://localhost.evil.example", "file://"]
        {
            assert_eq!(foreign("localhost", Some(origin)), Some(format!("origin {origin:?}")));
        }
        assert_eq!(foreign_name(&HeaderMap::new()), Some("host \"\"".into()));
    }
}
