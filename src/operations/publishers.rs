//! A publisher for each place. A message goes to the broker and virtual host where it died, and nowhere else.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;

use crate::amqp::{Brokers, Outgoing, Publisher, Receipt};
use crate::domain::place::Place;

/// The publishers of one worker. Each connects with its first message.
#[derive(Debug)]
pub struct Publishers(HashMap<Place, Publisher>);

impl Publishers {
    /// One for each place. `confirm_timeout` limits a batch.
    pub fn new(brokers: &Brokers, confirm_timeout: Duration) -> Self {
        let publisher = |place: &Place| {
            let broker = brokers.at(place)?.clone();
            Some((place.clone(), Publisher::new(broker, confirm_timeout)))
        };
        Self(brokers.places().filter_map(publisher).collect())
    }

    /// Publishes each message to its place, all places concurrently. Returns a receipt for each.
    pub async fn publish(&mut self, messages: Vec<(Place, Outgoing)>) -> Vec<Receipt> {
        let mut receipts: Vec<_> =
            messages.iter().map(|(place, _)| Receipt::Unknown(not_connected(place))).collect();
        let mut by_place: HashMap<Place, (Vec<usize>, Vec<Outgoing>)> = HashMap::new();
        for (number, (place, message)) in messages.into_iter().enumerate() {
            let (numbers, messages) = by_place.entry(place).or_default();
            numbers.push(number);
            messages.push(message);
        }
        let publishing = self.0.iter_mut().filter_map(|(place, publisher)| {
            let (numbers, messages) = by_place.remove(place)?;
            Some(async move { (numbers, publisher.publish(&messages).await) })
        });
        for (numbers, published) in join_all(publishing).await {
            for (number, receipt) in numbers.into_iter().zip(published) {
                receipts[number] = receipt;
            }
        }
        receipts
    }

    /// Number of ready messages in this queue. `None` if it is unknown.
    pub async fn depth(&mut self, place: &Place, queue: &str) -> Option<u32> {
        self.0.get_mut(place)?.depth(queue).await
    }

    /// Closes every connection.
    pub async fn close(&mut self) {
        join_all(self.0.values_mut().map(Publisher::close)).await;
    }
}

/// Why this service cannot redeliver a message from this place.
pub(super) fn not_connected(place: &Place) -> String {
    format!("it died on {place}, which this service is not connected to")
}
