//! The built console, as the build of this program found it. `build/compress.mjs` puts a compressed copy beside each file.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use include_dir::{Dir, include_dir};

/// `dist` is there if the console was built.
static CONSOLE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/console");

fn built(name: &str) -> Option<&'static [u8]> {
    CONSOLE.get_file(format!("dist/{name}")).map(include_dir::File::contents)
}

/// The page; `None` if the console was not built.
pub fn index() -> Option<&'static str> {
    std::str::from_utf8(built("index.html")?).ok()
}

/// A file, compressed if the client takes that; `None` if there is no such file.
pub fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let content_type = content_type(name)?;
    let compressed = accepts_gzip(headers).then(|| built(&format!("{name}.gz"))).flatten();
    let bytes = compressed.or_else(|| built(name))?;
    let mut response = Response::new(Body::from(Bytes::from_static(bytes)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if compressed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(response)
}

/// Of the kinds of files that the build makes; `None` for others, which are not served.
fn content_type(name: &str) -> Option<HeaderValue> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(HeaderValue::from_static(match extension {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    }))
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| match coding.split_once(';') {
        None => coding.trim() == "gzip",
        Some((name, weight)) => name.trim() == "gzip" && !matches!(weight.trim(), "q=0" | "q=0.0"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(value: &'static str) -> bool {
        accepts_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
    }

    #[test]
    fn clients_that_take_gzip() {
        for value in ["gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8"] {
            assert!(gzip(value), "{value}");
        }
        for value in ["", "br", "identity", "gzip;q=0", "x-gzip-like"] {
            assert!(!gzip(value), "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_files_of_the_console_are_served() {
        for name in ["index.html", "manifest.json", "assets/../../../Cargo.toml", "", "assets/", ".gitignore"]
        {
            assert!(file(name, &HeaderMap::new()).is_none(), "{name}");
        }
    }
}
