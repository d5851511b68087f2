//! Places: a virtual host on a broker, and the queues there that dead letters come from.

use std::fmt;
use std::sync::Arc;

/// A virtual host on a broker. A queue of the same name elsewhere is another queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The broker, by the name that the configuration gives it.
    pub broker: String,
    /// The virtual host.
    pub vhost: String,
}

impl Place {
    /// The virtual host of this name on the broker of this name.
    pub fn new(broker: impl Into<String>, vhost: impl Into<String>) -> Self {
        Self { broker: broker.into(), vhost: vhost.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broker {}, virtual host {}", self.broker, self.vhost)
    }
}

/// A queue that dead letters are consumed from. Clones are cheap: every dead letter has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    queue: String,
    place: Option<Place>,
    is_home: bool,
}

impl Source {
    /// A queue at the home place: the first place whose dead letters were stored. What is derived from these does not change when
    /// other places join.
    pub fn at_home(queue: impl Into<String>, home: Place) -> Self {
        Self(Arc::new(Parts { queue: queue.into(), place: Some(home), is_home: true }))
    }

    /// A queue at another place.
    pub fn elsewhere(queue: impl Into<String>, place: Place) -> Self {
        Self(Arc::new(Parts { queue: queue.into(), place: Some(place), is_home: false }))
    }

    /// The queue.
    pub fn queue(&self) -> &str {
        &self.0.queue
    }

    /// Its place. `None` for the home place if that is not known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Its place, unless that is the home place.
    pub fn away(&self) -> Option<&Place> {
        self.place().filter(|_| !self.0.is_home)
    }
}

impl From<&str> for Source {
    /// The queue of this name at the home place, whichever that is.
    fn from(queue: &str) -> Self {
        Self(Arc::new(Parts { queue: queue.into(), place: None, is_home: true }))
    }
}
