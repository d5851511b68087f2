//! A small system that fails: five services of four squads, with a switch that mends and breaks them.
//!
//! Two of them run here:
//! - `webshop` consumes `demo-orders_webshop`. It tells why a message failed, in headers; one bug makes nine of its ten
//!   failures;
//! - `notification` consumes `demo-customers_notification`, and rejects what it fails to handle. It also consumes
//!   `demo-returns_notification` while it is whole: while it is broken its returns desk is closed, and what waits there
//!   expires.
//!
//! The others are in `demo-clients`, in other languages; `scripts/demo.sh` runs them, and `control` hears of them.
//!
//! About one message in five meets a bug. Which one is in the message itself, so that a message that is redelivered
//! before the fix fails again, and after it does not.

mod consumer;
mod control;
mod dead_copy;
mod events;
mod failure;
mod keys;
mod producer;
mod receiver;
mod service;
mod state;
mod status;
mod supervise;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::amqp::DEFAULT_URI;
use state::State;

/// A small system that fails in a few recognisable ways, and can be mended while you look on
#[derive(Parser, Clone, Debug)]
#[command(version, max_term_width = 110)]
pub struct Options {
    /// The broker
    #[arg(long, env = "AMQP_URL", default_value = DEFAULT_URI, hide_env_values = true)]
    pub uri: String,
    /// Where to listen for POST /fix, POST /break, GET /, and the notifications of dead-letter
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub control: String,
    /// Messages a second to each of the two services that run here
    #[arg(long, default_value_t = 2.0)]
    pub rate: f64,
    /// Messages to begin with, so that there is something to see at once
    #[arg(long, default_value_t = 100)]
    pub backlog: u32,
    /// Tell the same story again: the same orders and customers, under new message ids
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What is not done by then when we are told to end is left: the broker has it still.
const GRACE: Duration = Duration::from_millis(1500);

/// Runs until `stop`. Fails only at the beginning: once running, it survives what happens to the broker.
pub async fn run(options: Options, stop: CancellationToken) -> Result<()> {
    let control = control::bind(&options.control).await?;
    let state = Arc::new(State::new());
    let _terminal = keys::listen(state.clone(), stop.clone());
    status::say(&format!("control at http://{}: POST /fix, POST /break, GET /", options.control));

    let tasks = TaskTracker::new();
    tasks.spawn(control::serve(control, state.clone(), stop.clone()));
    if topology::prepare(&options.uri, &stop).await {
        tasks.spawn(status::report(state.clone(), stop.clone()));
        for place in &topology::PLACES {
            tasks.spawn(consumer::run(options.uri.clone(), place, state.clone(), stop.clone()));
        }
        tasks.spawn(producer::run(options, state.clone(), stop.clone()));
    }
    stop.cancelled().await;
    tasks.close();
    // Whoever is still waiting for the broker then waits for nothing that matters.
    let _ = tokio::time::timeout(GRACE, tasks.wait()).await;
    status::say(&state.line());
    Ok(())
}
