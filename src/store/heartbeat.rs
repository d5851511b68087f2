//! Pings the database continuously, so that requests do not wait for one that has stopped answering.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Store;

/// Pause between pings. Together with the timeout of a ping it stays well below the two seconds that a client waits for a 503.
const INTERVAL: Duration = Duration::from_millis(250);

/// The latest ping. Clones share it.
#[derive(Clone, Debug)]
pub struct Heartbeat(watch::Receiver<bool>);

impl Heartbeat {
    /// Resolves as soon as a ping has failed.
    pub async fn lost(mut self) {
        if self.0.wait_for(|answers| !answers).await.is_err() {
            // The pings have ended.
            std::future::pending::<()>().await;
        }
    }
}

impl Store {
    /// The heartbeat, and the task that pings. The task does not end.
    pub fn heartbeat(&self) -> (Heartbeat, impl Future<Output = anyhow::Result<()>> + Send + use<>) {
        let (sender, receiver) = watch::channel(true);
        let store = self.clone();
        let pinging = async move {
            loop {
                sender.send_replace(store.ping().await.is_ok());
                sleep(INTERVAL).await;
            }
        };
        (Heartbeat(receiver), pinging)
    }
}
