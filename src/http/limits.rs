//! What one caller may ask for at most. Further requests are answered with 429, and nothing is done.

mod rate;
mod streams;

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::http::Method;
use governor::Quota;

use super::auth::Requester;
use super::error::ApiError;
use super::problem::Problem;
use crate::config::LimitsConfig;
use crate::domain::limit::Limit;
use crate::domain::words::things;

use rate::Rate;
use streams::{Streams, TooMany};

pub use streams::OpenStream;

/// So many seconds' worth of requests may come at once.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Bits of an IPv6 address that identify a network: one caller has the rest for itself.
const NETWORK: u32 = 64;

/// The limits, and how much of them is used.
#[derive(Debug)]
pub struct Limits {
    requests: Rate,
    acts: Rate,
    refused_sign_ins: Rate,
    streams: Streams,
    streams_per_caller: Limit,
}

/// Whose rate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who<'a> {
    Principal(&'a str),
    Address(IpAddr),
}

impl Limits {
    /// Those of the settings.
    pub fn new(config: &LimitsConfig) -> Self {
        let per_second =
            |number: NonZeroU32| Quota::per_second(number).allow_burst(number.saturating_mul(BURST_SECONDS));
        Self {
            requests: Rate::new(config.requests_per_second.number().map(per_second)),
            acts: Rate::new(config.acts_per_minute.number().map(Quota::per_minute)),
            refused_sign_ins: Rate::new(config.refused_sign_ins_per_minute.number().map(Quota::per_minute)),
            streams: Streams::default(),
            streams_per_caller: config.streams_per_caller,
        }
    }

    /// Counts a request of this method.
    pub fn request(&self, requester: &Requester, method: &Method) -> Result<(), ApiError> {
        let who = who(requester);
        self.requests.take(who).map_err(|wait| refused("requests", wait))?;
        if matches!(*method, Method::GET | Method::HEAD) {
            return Ok(());
        }
        self.acts.take(who).map_err(|wait| refused("requests that plan, start or change something", wait))
    }

    /// Counts a request that bears no valid token, though it has to. The good tokens from the same address are not affected: a proxy, such
    /// as Backstage's, may have the address of all callers.
    pub fn refused_sign_in(&self, peer: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(peer) = peer else { return Ok(()) };
        let taken = self.refused_sign_ins.take(Who::Address(network(peer)));
        taken.map_err(|wait| refused("requests without a valid token", wait))
    }

    /// Opens a stream.
    pub fn open_stream(&self, requester: &Requester) -> Result<OpenStream, ApiError> {
        self.streams.open(requester.actor(), self.streams_per_caller).map_err(|too_many| {
            let whose = match too_many {
                TooMany::OfCaller(number) => {
                    format!("You follow {} already.", things(count(number), "operation"))
                }
                TooMany::InAll(number) => {
                    format!("{} are followed already.", things(count(number), "operation"))
                }
            };
            ApiError::new(
                Problem::TOO_MANY_STREAMS,
                format!(
                    "{whose} Close a stream first, poll `GET /operations/{{id}}`, or retry in 10 seconds."
                ),
            )
        })
    }
}

fn refused(what: &str, wait: NonZeroU32) -> ApiError {
    let seconds = things(wait.get().into(), "second");
    let detail = format!("Too many {what} of one caller. Nothing was done. Retry in {seconds}.");
    ApiError::new(Problem::TOO_MANY_REQUESTS, detail).retry_after(wait)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn who(requester: &Requester) -> Who<'_> {
    match requester {
        Requester::Known(principal, _) => Who::Principal(&principal.id),
        Requester::Anonymous(address) => Who::Address(network(*address)),
    }
}

/// The address, or the network that it is in.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> NETWORK << NETWORK).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_one_rate_whichever_address_of_its_network_it_uses() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
