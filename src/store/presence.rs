//! Whether the database answers, asked all the time: who waits for an answer of one that is silent waits in vain.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Store;

/// How often it is asked. With the time that an answer may take, well below the two seconds that a client waits for a 503.
const INTERVAL: Duration = Duration::from_millis(250);

/// What is known of it. Clones know the same.
#[derive(Clone, Debug)]
pub struct Presence(watch::Receiver<bool>);

impl Presence {
    /// Ends as soon as the database leaves a question without an answer.
    pub async fn lost(mut self) {
        if self.0.wait_for(|answers| !answers).await.is_err() {
            // Nobody asks any more.
            std::future::pending::<()>().await;
        }
    }
}

impl Store {
    /// What is to be known, and the asking, which does not end.
    pub fn presence(&self) -> (Presence, impl Future<Output = anyhow::Result<()>> + Send + use<>) {
        let (sender, receiver) = watch::channel(true);
        let store = self.clone();
        let asking = async move {
            loop {
                sender.send_replace(store.ping().await.is_ok());
                sleep(INTERVAL).await;
            }
        };
        (Presence(receiver), asking)
    }
}
