//! Matches returns to messages.
//!
//! `basic.return` has no delivery tag, and lapin delivers it with the next confirm. If several messages are unconfirmed, and
//! confirms arrive in another order or for many at once, that confirm is of another message. The redelivery id identifies the
//! right one.

use std::collections::HashMap;

use lapin::message::BasicReturnMessage;

use super::outgoing::{Outgoing, Receipt, Refusal};
use crate::domain::headers::{COPY_ID, REDELIVERY_ID};
use crate::domain::message::Properties;
use crate::domain::wire;

/// A message that could not be routed.
#[derive(Debug)]
pub(super) struct Returned {
    /// Its redelivery id, or that of a copy.
    mark: Option<String>,
    refusal: Refusal,
}

impl Returned {
    /// A return with these properties.
    pub fn new(returned: &BasicReturnMessage, properties: Option<&[u8]>) -> Self {
        let (exchange, key) = (&returned.delivery.exchange, &returned.delivery.routing_key);
        let why = if exchange.as_str().is_empty() {
            format!("Queue {key} does not exist")
        } else {
            format!("Exchange {exchange} has no queue for routing key {key}")
        };
        let detail = format!("{why} ({} {})", returned.reply_code, returned.reply_text);
        let properties = properties.and_then(|properties| wire::decode(properties).ok());
        Self { mark: properties.as_ref().and_then(mark), refusal: Refusal::new("returned", detail) }
    }
}

fn mark(properties: &Properties) -> Option<String> {
    let mark = properties.header_text(REDELIVERY_ID).or_else(|| properties.header_text(COPY_ID));
    mark.map(std::borrow::Cow::into_owned)
}

/// Refuses the messages that were returned, whichever confirms their returns came with (rule R7).
///
/// A return precedes the confirm of its message, and lapin delivers one return per confirm. So once all confirms have arrived,
/// all returns are known. If the confirm of a returned message is missing, its return came with the confirm of another message,
/// whose own return may still be due: any confirmed message may have been returned.
pub(super) fn assign(messages: &[Outgoing], receipts: &mut [Receipt], returned: Vec<Returned>) {
    if returned.is_empty() {
        return;
    }
    let marks = messages.iter().map(|message| mark(&message.properties));
    let places: HashMap<_, _> = marks.enumerate().filter_map(|(place, mark)| Some((mark?, place))).collect();
    let mut is_one_missing = false;
    for Returned { mark, refusal } in returned {
        let place =
            if messages.len() == 1 { Some(0) } else { mark.and_then(|mark| places.get(&mark).copied()) };
        match place.and_then(|place| receipts.get_mut(place)) {
            Some(receipt) => {
                is_one_missing |= matches!(receipt, Receipt::Unknown(_));
                *receipt = Receipt::Refused(refusal);
            }
            None => is_one_missing = true,
        }
    }
    if is_one_missing {
        for receipt in receipts.iter_mut().filter(|receipt| **receipt == Receipt::Confirmed) {
            *receipt = Receipt::Unknown("another message was returned, and its confirm did not come".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Table, Value};

    fn message(mark: &str) -> Outgoing {
        let mut headers = Table::default();
        headers.set(REDELIVERY_ID, Value::text(mark));
        let properties = Properties { headers: Some(headers), ..Properties::default() };
        Outgoing {
            exchange: String::new(),
            routing_key: "q".into(),
            lane: None,
            properties,
            body: Vec::new(),
        }
    }

    fn returned(mark: &str) -> Returned {
        Returned { mark: Some(mark.into()), refusal: Refusal::new("returned", "312") }
    }

    fn unknown() -> Receipt {
        Receipt::Unknown("no confirm".into())
    }

    fn outcome(mut receipts: Vec<Receipt>, back: Vec<Returned>) -> String {
        let messages = ["a", "b", "c"].map(message);
        assign(&messages, &mut receipts, back);
        receipts
            .iter()
            .map(|receipt| match receipt {
                Receipt::Confirmed => 'c',
                Receipt::Refused(_) => 'r',
                Receipt::Unknown(_) => 'u',
            })
            .collect()
    }

    #[test]
    fn a_return_is_of_the_message_whose_mark_it_bears() {
        let all = || vec![Receipt::Confirmed; 3];
        assert_eq!(outcome(all(), vec![]), "ccc");
        assert_eq!(outcome(all(), vec![returned("c")]), "ccr");
        assert_eq!(outcome(all(), vec![returned("c"), returned("a")]), "rcr");
    }

    #[test]
    fn one_that_took_the_place_of_another_makes_confirms_doubtful() {
        // In an abandoned window the return of `a` may be the missing one.
        let some = || vec![Receipt::Confirmed, Receipt::Confirmed, unknown()];
        assert_eq!(outcome(some(), vec![]), "ccu");
        assert_eq!(outcome(some(), vec![returned("a")]), "rcu");
        assert_eq!(outcome(some(), vec![returned("c")]), "uur");
        let most = vec![Receipt::Confirmed, unknown(), unknown()];
        assert_eq!(outcome(most, vec![returned("b"), returned("c")]), "urr");
        assert_eq!(outcome(vec![Receipt::Confirmed; 3], vec![returned("of another")]), "uuu");
    }
}
