//! The metrics that the conventions of OpenTelemetry name for all messaging systems, beside our own, if that is asked for
//! (`OTEL_SEMCONV_STABILITY_OPT_IN`). They are not stable yet. Source:
//! <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/>.

use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use super::registrar::Registrar;

const SYSTEM: &str = "rabbitmq";

#[derive(Debug)]
pub(super) struct Messaging {
    consumed: IntCounterVec,
    processing: HistogramVec,
    sent: IntCounterVec,
}

/// Those of one source.
#[derive(Clone, Debug)]
pub(super) struct SourceMessaging {
    consumed: IntCounter,
    processing: Histogram,
}

impl Messaging {
    pub(super) fn new(registrar: &Registrar) -> Self {
        let of_destination = &["messaging_system", "messaging_operation_name", "messaging_destination_name"];
        Self {
            consumed: registrar.counter(
                "messaging_client_consumed_messages_total",
                "Messages of a source that were stored, or had been stored before. Only with `OTEL_SEMCONV_STABILITY_OPT_IN=messaging`",
                of_destination,
            ),
            processing: registrar.seconds(
                "messaging_process_duration_seconds",
                "Time to store a batch of a source. Only with `OTEL_SEMCONV_STABILITY_OPT_IN=messaging`",
                of_destination,
            ),
            sent: registrar.counter(
                "messaging_client_sent_messages_total",
                "Messages that were redelivered or copied, and those that the broker refused, with the reason as `error_type`. Only with \
                 `OTEL_SEMCONV_STABILITY_OPT_IN=messaging`",
                &["messaging_system", "messaging_operation_name", "error_type"],
            ),
        }
    }

    pub(super) fn source(&self, queue: &str) -> SourceMessaging {
        SourceMessaging {
            consumed: self.consumed.with_label_values(&[SYSTEM, "consume", queue]),
            processing: self.processing.with_label_values(&[SYSTEM, "process", queue]),
        }
    }

    pub(super) fn published(&self, sent: u64, refusals: &[&str]) {
        let count = |error| self.sent.with_label_values(&[SYSTEM, "publish", error]);
        count("").inc_by(sent);
        for refusal in refusals {
            count(refusal).inc();
        }
    }
}

impl SourceMessaging {
    pub(super) fn stored(&self, messages: u64, duration: Duration) {
        self.consumed.inc_by(messages);
        self.processing.observe(duration.as_secs_f64());
    }
}
