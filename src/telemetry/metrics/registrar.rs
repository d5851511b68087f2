//! How metrics are created.

use prometheus::core::Collector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, exponential_buckets,
};

/// Creates metrics in a registry.
#[derive(Default)]
pub(super) struct Registrar(pub(super) Registry);

#[expect(
    clippy::expect_used,
    reason = "the names are literals, each used once: a clash shows at the first start"
)]
impl Registrar {
    fn register<C: Collector + Clone + 'static>(&self, metric: prometheus::Result<C>) -> C {
        let metric = metric.expect("valid metric");
        self.0.register(Box::new(metric.clone())).expect("registered once");
        metric
    }

    pub(super) fn counter(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub(super) fn plain_counter(&self, name: &str, help: &str) -> IntCounter {
        self.counter(name, help, &[]).with_label_values(&[] as &[&str])
    }

    pub(super) fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// From 1 ms to half a minute.
    pub(super) fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.histogram(name, help, labels, exponential_buckets(0.001, 2.0, 16).expect("valid buckets"))
    }

    /// From 1 to 2048.
    pub(super) fn rows(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.histogram(name, help, labels, exponential_buckets(1.0, 2.0, 12).expect("valid buckets"))
    }

    fn histogram(&self, name: &str, help: &str, labels: &[&str], buckets: Vec<f64>) -> HistogramVec {
        self.register(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels))
    }
}
