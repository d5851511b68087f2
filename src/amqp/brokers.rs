//! The ways to every place that is consumed.

use std::sync::Arc;

use super::Broker;
use crate::domain::place::Place;

/// The ways to the places that this service is connected to; one at least. Clones are the same.
#[derive(Clone, Debug)]
pub struct Brokers(Arc<[Broker]>);

impl Brokers {
    /// Those of these places; the first one is home, where the database knows of none yet.
    pub fn new(brokers: impl IntoIterator<Item = Broker>) -> Self {
        Self(brokers.into_iter().collect())
    }

    /// The way to this place, if this service is connected to it.
    pub fn at(&self, place: &Place) -> Option<&Broker> {
        self.0.iter().find(|broker| broker.place() == place)
    }

    /// The way to the first place.
    pub fn first(&self) -> &Broker {
        &self.0[0]
    }

    /// Every place.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().map(Broker::place)
    }

    /// What to call a queue in logs: by its name alone, where there is one place only.
    pub fn name_of(&self, queue: &str, place: &Place) -> String {
        if self.0.len() == 1 { queue.to_owned() } else { format!("{queue} ({place})") }
    }

    /// Host and port of each node, for logs.
    pub fn address(&self) -> String {
        let mut addresses: Vec<_> = self.0.iter().map(Broker::address).collect();
        addresses.dedup();
        addresses.join(", ")
    }
}
