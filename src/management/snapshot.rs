//! All that the management API tells of a broker at one moment.

use std::collections::BTreeMap;

use super::Management;
use super::answers::{Binding, Exchange, Overview, Policy, Queue};
use super::facts::Facts;
use super::routing::Routing;

/// A broker, as the management API shows it.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub overview: Overview,
    pub queues: Vec<Queue>,
    pub exchanges: Vec<Exchange>,
    pub bindings: Vec<Binding>,
    pub policies: Vec<Policy>,
    pub operators: Vec<Policy>,
    /// Why policies could not be read.
    pub unseen: Option<String>,
}

impl Snapshot {
    /// Reads the broker. Without the right to read policies, these are left out.
    pub async fn of(management: &Management) -> anyhow::Result<Self> {
        let overview = management.overview().await?;
        let queues = management.queues().await?;
        let exchanges = management.exchanges().await?;
        let bindings = management.bindings().await?;
        let policies = async { Ok((management.policies().await?, management.operator_policies().await?)) };
        let (policies, operators, unseen) = match policies.await {
            Ok((policies, operators)) => (policies, operators, None),
            Err::<_, anyhow::Error>(error) => (Vec::new(), Vec::new(), Some(format!("{error:#}"))),
        };
        Ok(Self { overview, queues, exchanges, bindings, policies, operators, unseen })
    }

    /// The queues of a virtual host, by name.
    pub fn facts(&self, vhost: &str) -> BTreeMap<&str, Facts<'_>> {
        let here = self.queues.iter().filter(|queue| queue.vhost == vhost);
        here.map(|queue| (queue.name.as_str(), Facts::new(queue, &self.policies, &self.operators))).collect()
    }

    /// The ways of messages in a virtual host.
    pub fn routing(&self, vhost: &str) -> Routing<'_> {
        let here = self.queues.iter().filter(|queue| queue.vhost == vhost);
        let names = here.map(|queue| queue.name.as_str());
        Routing::new(vhost, &self.exchanges, &self.bindings, &self.policies, names)
    }
}
