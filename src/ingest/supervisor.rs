//! Keeps one source consumed: connect → check or declare → consume → pump until error or stop → drop everything → wait
//! a little → again.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::crash_guard::{BEAT, warn_of_crash};
use super::pump::{End, Pump};
use super::{Ingest, SourceState};
use crate::amqp::{AmqpError, Source};
use crate::clock;
use crate::domain::convention::Decoding;

const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// An operator has to change something first, and the broker logs each attempt as an error.
const REFUSED_BACKOFF: Duration = Duration::from_secs(15);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
const END_SESSION_TIMEOUT: Duration = Duration::from_secs(2);

/// Consumes the source until the process is to stop.
pub async fn supervise(ingest: Ingest, stop: CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        () = consume(&ingest, &stop) => {}
        // Also while there is no connection: a process without one has not crashed.
        never = send_heartbeats(&ingest) => match never {},
    }
    // If this fails, the next process decodes the headers of redelivered messages only, although it need not.
    let _ = tokio::time::timeout(END_SESSION_TIMEOUT, ingest.store.end_session(&ingest.session)).await;
    ingest.status.set(SourceState::Stopped);
    Ok(())
}

async fn consume(ingest: &Ingest, stop: &CancellationToken) {
    let mut backoff = FIRST_BACKOFF;
    let mut decoding = Decoding::Full;
    while !stop.is_cancelled() {
        let state = attempt(ingest, stop, &mut backoff, &mut decoding).await;
        if let Some(state) = state {
            if matches!(state, SourceState::Refused(_)) {
                backoff = REFUSED_BACKOFF;
            }
            ingest.status.set(state);
        }
        ingest.metrics.in_flight.set(0);
        ingest.metrics.in_flight_bytes.set(0);
        let _ = stop.run_until_cancelled(sleep(clock::jittered(backoff))).await;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Sends the heartbeats of the session.
async fn send_heartbeats(ingest: &Ingest) -> Infallible {
    loop {
        sleep(BEAT).await;
        if let Err(error) = ingest.store.renew_session(&ingest.session).await {
            debug!(source = ingest.source.queue, %error, "the heartbeat of this process was not stored");
        }
    }
}

/// The state after the source could not be opened.
fn not_open(ingest: &Ingest, error: AmqpError) -> SourceState {
    if error.is_not_found() {
        ingest.status.forget();
    }
    match error {
        AmqpError::Unsuitable(why) => SourceState::Refused(why),
        other => SourceState::WaitingForBroker(other.to_string()),
    }
}

/// A warning if the broker's name has led to another cluster before: redelivery cannot tell two brokers of one name apart.
async fn other_cluster(ingest: &Ingest, cluster: Option<String>) -> Option<String> {
    let (name, cluster) = (&ingest.broker.place().broker, cluster?);
    // Without an answer it is checked at the next connection.
    let known = ingest.store.known_cluster(name, &cluster).await.ok()?;
    (known != cluster).then(|| {
        format!(
            "the broker {name} is the cluster {cluster}, and it was {known}: if these are two brokers, give each a name of its own \
             (DEAD_LETTER_BROKER, or `name` in the brokers file), or what died on one is redelivered to the other"
        )
    })
}

/// Runs one connection. Returns the state to report while waiting for the next.
async fn attempt(
    ingest: &Ingest,
    stop: &CancellationToken,
    backoff: &mut Duration,
    decoding: &mut Decoding,
) -> Option<SourceState> {
    // Without a database that accepts rows, messages are safer in the queue: each return counts against the delivery limit (rule
    // R6).
    if let Err(error) = ingest.store.takes_rows().await {
        return Some(SourceState::WaitingForDatabase(error.to_string()));
    }
    let opened = stop.run_until_cancelled(Source::open(&ingest.broker, &ingest.source)).await?;
    let mut source = match opened {
        Ok(source) => source,
        Err(error) => return Some(not_open(ingest, error)),
    };
    // Once for each version: the broker logs the questions as errors.
    let broker = source.broker_version();
    if !ingest.status.was_checked_with(&broker) {
        match stop.run_until_cancelled(source.loss_risks()).await? {
            Ok(Some(risks)) => ingest.status.set_checked_with(broker, risks),
            Ok(None) => {}
            Err(error) => return Some(not_open(ingest, error)),
        }
    }
    ingest.status.note(other_cluster(ingest, source.cluster()).await);
    match ingest.store.begin_session(&ingest.session).await {
        Ok(found) => *decoding = found.max(*decoding),
        Err(error) => return Some(SourceState::WaitingForDatabase(error.to_string())),
    }
    if *decoding == Decoding::HeadersOnly {
        warn_of_crash(ingest);
    }
    let mut pump = Pump::new(ingest, *decoding);
    let end = pump.run(&mut source, stop).await;
    *decoding = pump.decoding();
    debug!(source = ingest.status.name(), ?end, "the source's connection ends");
    source.close().await;
    match end {
        End::Stopped => None,
        End::Broker(why) => {
            // The connection had worked: reconnect soon.
            if pump.has_acked() {
                *backoff = FIRST_BACKOFF;
            }
            Some(SourceState::WaitingForBroker(why))
        }
        End::HeldTooLong(why) => Some(SourceState::WaitingForDatabase(why)),
    }
}
