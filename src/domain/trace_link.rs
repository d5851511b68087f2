//! Links from a dead letter to the trace that its message belongs to: a template that the operator sets.

const TRACE: &str = "{traceId}";
const SPAN: &str = "{spanId}";

/// A template such as `https://traces.example.com/trace/{traceId}`, which may also have a `{spanId}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLink(String);

impl TraceLink {
    /// Takes the template, or says what is wrong with it.
    pub fn new(template: &str) -> Result<Self, String> {
        if !template.starts_with("https://") && !template.starts_with("http://") {
            return Err("it must begin with https:// or http://".into());
        }
        if !template.contains(TRACE) {
            return Err(format!("{TRACE} is missing"));
        }
        if template.replace(TRACE, "").replace(SPAN, "").contains(['{', '}']) {
            return Err(format!("only {TRACE} and {SPAN} can be filled in: escape other braces as %7B and %7D"));
        }
        Ok(Self(template.to_owned()))
    }

    /// The link for this header (W3C Trace Context); none where it is not valid. Hexadecimal digits need no escape.
    pub fn of(&self, traceparent: &str) -> Option<String> {
        let mut parts = traceparent.split('-');
        let _version = parts.next().filter(|version| is_hex(version, 2) && *version != "ff")?;
        let [trace, span] = [(parts.next()?, 32), (parts.next()?, 16)].map(|(id, length)| {
            (is_hex(id, length) && id.contains(|digit| digit != '0')).then_some(id)
        });
        Some(self.0.replace(TRACE, trace?).replace(SPAN, span?))
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn ids_are_filled_in() {
        let link = TraceLink::new("https://traces/{traceId}?span={spanId}").expect("valid");
        assert_eq!(
            link.of(TRACEPARENT).as_deref(),
            Some("https://traces/4bf92f3577b34da6a3ce929d0e0e4736?span=00f067aa0ba902b7")
        );
    }

    #[test]
    fn what_is_no_traceparent_makes_no_link() {
        let link = TraceLink::new("https://traces/{traceId}").expect("valid");
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            "00-../../../admin?a=4da6a3ce929d0e0-00f067aa0ba902b7-01",
        ] {
            assert_eq!(link.of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for wrong in ["javascript:{traceId}", "https://traces", "https://traces/{traceId}/{service}", "https://{traceId"] {
            assert!(TraceLink::new(wrong).is_err(), "{wrong}");
        }
    }
}
