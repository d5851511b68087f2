//! Who is on an error group, and its ticket.

use url::Url;

/// Longest name of an assignee in bytes.
pub const MAX_ASSIGNEE: usize = 200;
/// Longest address of a ticket in bytes.
pub const MAX_TICKET_URL: usize = 2_000;
/// Longest key of a ticket in bytes.
pub const MAX_TICKET_KEY: usize = 100;
/// The caller, as an assignee.
pub const ME: &str = "me";
/// Nobody, where groups are filtered by assignee.
pub const NOBODY: &str = "none";

/// A ticket elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its address: http or https, without user and password.
    pub url: String,
    /// What people call it, such as `SHOP-123`.
    pub key: Option<String>,
}

impl Ticket {
    /// The ticket at this address. The error says what is wrong with it, and never quotes it (rule R14).
    pub fn parse(url: &str, key: Option<&str>) -> Result<Self, (&'static str, String)> {
        let wrong = |why: &str| Err(("ticketUrl", why.to_owned()));
        if url.len() > MAX_TICKET_URL {
            return Err(("ticketUrl", format!("must be {MAX_TICKET_URL} bytes at most")));
        }
        let Ok(parsed) = Url::parse(url) else {
            return wrong("must be an address, such as https://tickets.example.com/SHOP-123");
        };
        if !matches!(parsed.scheme(), "http" | "https") {
            return wrong("must begin with https:// or http://");
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return wrong("must not have a user or a password: everybody who may read the group sees it");
        }
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        if key.is_some_and(|key| key.len() > MAX_TICKET_KEY || key.chars().any(char::is_control)) {
            return Err((
                "ticketKey",
                format!("must be {MAX_TICKET_KEY} bytes at most, without control characters"),
            ));
        }
        Ok(Self { url: parsed.into(), key: key.map(str::to_owned) })
    }

    /// In one line: the key and the address.
    pub fn named(&self) -> String {
        match &self.key {
            Some(key) => format!("{key} ({})", self.url),
            None => self.url.clone(),
        }
    }
}

/// The name of an assignee: any identity in one line, such as `user:default/ada` or `group:default/checkout`.
pub fn assignee(name: &str) -> Result<String, String> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_ASSIGNEE || name.chars().any(char::is_control) {
        return Err(format!("must be 1 to {MAX_ASSIGNEE} bytes in one line, such as user:default/ada"));
    }
    if name == NOBODY {
        return Err(format!("must not be `{NOBODY}`: to take it from somebody, use the action `unassign`"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_an_address_without_secrets() {
        let ticket = Ticket::parse("https://tickets.example.com/SHOP-123", Some(" SHOP-123 ")).unwrap();
        assert_eq!(ticket.named(), "SHOP-123 (https://tickets.example.com/SHOP-123)");
        assert_eq!(Ticket::parse("http://t", Some(" ")).unwrap().named(), "http://t/");
        for wrong in [
            "",
            "SHOP-123",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "//t.example/1",
            "https://",
            "https://jane:secret@t.example/1",
            "https://jane@t.example/1",
            &format!("https://t.example/{}", "x".repeat(MAX_TICKET_URL)),
        ] {
            let (field, why) = Ticket::parse(wrong, None).unwrap_err();
            assert_eq!(field, "ticketUrl");
            assert!(!why.contains("secret"), "{why}");
        }
        for key in ["a\nb", &"x".repeat(MAX_TICKET_KEY + 1)] {
            assert_eq!(Ticket::parse("https://t", Some(key)).unwrap_err().0, "ticketKey");
        }
    }

    #[test]
    fn an_assignee_is_one_line() {
        assert_eq!(assignee(" user:default/ada ").unwrap(), "user:default/ada");
        for wrong in ["", " ", "a\nb", "a\0", "none", &"x".repeat(MAX_ASSIGNEE + 1)] {
            assert!(assignee(wrong).is_err(), "{wrong:?}");
        }
    }
}
