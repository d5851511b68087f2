//! Squads are told of what is wrong, once, until it is over: real receivers, the real broker, the real database.

mod channels;
mod incidents;
mod mail;
mod outbox;
mod receiver;
mod routes;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{DeadMessage, Service, World, id, until};
use receiver::{Receiver, SECRET};

/// A service whose notifications go to a receiver. Incidents are over as soon as they seem to be.
pub struct Told {
    pub world: World,
    pub receiver: Receiver,
    files: TempDir,
}

/// Two services of squads of their own; all others belong to `shop`.
const OWNERS: &str = "services:\n  - {service: mail, squad: post}\n  - {service: loan, squad: bank}\n  - {service: '*', squad: shop}\n";

impl Told {
    /// Everybody is told at once.
    pub async fn start() -> Self {
        Self::with("routes:\n  - {channels: [hook]}\n", &[]).await
    }

    /// With these routes to the channel `hook`, and further settings of the service.
    pub async fn with(routes: &str, settings: &[(&str, &str)]) -> Self {
        let (receiver, files) = (Receiver::start().await, TempDir::new().unwrap());
        std::fs::write(files.path().join("owners"), OWNERS).unwrap();
        let (url, write) =
            (&receiver.url, |name, text: &str| std::fs::write(files.path().join(name), text).unwrap());
        write("secret", SECRET);
        write("key", "the key of the pager");
        write("chat", &format!("{url}/chat"));
        write("token", "the token of the portal");
        let text = routes_file(&receiver.url, files.path().to_str().unwrap(), routes);
        std::fs::write(files.path().join("notifications"), text).unwrap();
        let own = own_settings(&files);
        let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let world = World::start_with(&[&own[..], settings].concat()).await;
        Self { world, receiver, files }
    }

    /// Another replica with the same files.
    pub fn replica(&self) -> Service {
        let own = own_settings(&self.files);
        let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let World { database, broker, source, .. } = &self.world;
        Service::start(&database.url, &broker.served_url(), &source.name, &own)
    }

    /// Another notifications file, which takes effect when the service has noticed it.
    pub fn reroute(&self, routes: &str) {
        let text = routes_file(&self.receiver.url, self.files.path().to_str().unwrap(), routes);
        std::fs::write(self.files.path().join("notifications"), text).unwrap();
    }

    /// One more dead letter of this service.
    pub async fn dies(&self, service: &str, error: &str) {
        let message = DeadMessage::new(&id(), &format!("work_{service}"));
        self.world
            .publish(message.error(error, &format!("{error} of order {}", rand::random::<u32>())))
            .await;
    }

    pub async fn get(&self, path: &str) -> Value {
        self.world.api().get(path).await.assert(200).json
    }

    /// The incidents that this query lists.
    pub async fn incidents(&self, query: &str) -> Vec<Value> {
        self.get(&format!("/incidents?{query}")).await["incidents"].as_array().unwrap().clone()
    }

    /// The only incident of this kind, once there is one, with its notifications.
    pub async fn incident(&self, kind: &str, state: &str) -> Value {
        let query = format!("kind={kind}&state={state}");
        let listed = until(&format!("an incident: {query}"), || async {
            let mut found = self.incidents(&query).await;
            assert!(found.len() <= 1, "{found:?}");
            found.pop()
        })
        .await;
        self.get(&format!("/incidents/{}", listed["id"].as_str().unwrap())).await
    }

    /// Waits until incidents have been looked for twice from now on: then everything that was stored before has been seen.
    pub async fn until_looked_twice(&self) {
        for _ in 0..2 {
            let looked = || async {
                let query = "SELECT looked_at::text FROM incident_watch";
                sqlx::query_scalar::<_, String>(query).fetch_one(&self.world.database.pool).await.ok()
            };
            let before = looked().await;
            until("incidents are looked for", || async { (looked().await != before).then_some(()) }).await;
        }
    }

    /// What was counted is three hours older. First what is not folded yet: what is being folded is waited for.
    pub async fn let_hours_pass(&self) {
        let older = |table| format!("UPDATE {table} SET start = start - interval '187 minutes'");
        self.sql(&[older("error_group_change"), older("error_group_interval")].join("; ")).await;
    }

    /// Makes this so in the database.
    pub async fn sql(&self, statement: &str) {
        sqlx::raw_sql(statement).execute(&self.world.database.pool).await.unwrap();
    }
}

fn own_settings(files: &TempDir) -> [(&'static str, String); 3] {
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    [
        ("DEAD_LETTER_OWNERSHIP_FILE", path("owners")),
        ("DEAD_LETTER_NOTIFICATIONS_FILE", path("notifications")),
        ("DEAD_LETTER_PUBLIC_URL", "https://dead-letter.example.com".to_owned()),
    ]
}

/// With a channel of each kind that leads to the receiver, and `other`, a second webhook.
fn routes_file(url: &str, folder: &str, routes: &str) -> String {
    let file = |name| format!("{{file: {folder}/{name}}}");
    let secret = format!("secret: {}", file("secret"));
    format!(
        "settle: 1s\nchannels:\n  hook: {{type: webhook, url: '{url}/hook', {secret}}}\n  \
         other: {{type: webhook, url: '{url}/other', {secret}}}\n  \
         pager: {{type: pagerduty, url: '{url}', routing-key: {}}}\n  chat: {{type: slack, url: {}}}\n  \
         portal: {{type: backstage, url: '{url}', token: {}}}\n{routes}",
        file("key"),
        file("chat"),
        file("token")
    )
}
