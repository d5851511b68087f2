//! The brokers of every place that is consumed.

use std::sync::Arc;

use super::Broker;
use crate::domain::place::Place;

/// The brokers of the places that this service is connected to. There is at least one. Clones share it.
#[derive(Clone, Debug)]
pub struct Brokers(Arc<[Broker]>);

impl Brokers {
    /// The first one becomes the home place, if the database has none yet.
    pub fn new(brokers: impl IntoIterator<Item = Broker>) -> Self {
        Self(brokers.into_iter().collect())
    }

    /// The broker of this place, if this service is connected to it.
    pub fn at(&self, place: &Place) -> Option<&Broker> {
        self.0.iter().find(|broker| broker.place() == place)
    }

    /// The broker of the first place.
    pub fn first(&self) -> &Broker {
        &self.0[0]
    }

    /// Every place.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().map(Broker::place)
    }

    /// The name of a queue in logs: without its place, if there is only one.
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
