//! Two squads with the same dead letters, behind sign-in.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::access::{Access, new_token};
use crate::support::api::Answer;
use crate::support::{DeadMessage, World, id, text};

pub const POLICY: &str = "
grants:
  - {to: [everyone], on: own, may: [everything]}
  - {to: ['token:admin'], on: everything, may: [everything]}
targets: [{exchange: '*', routing-key: '*'}]
";

/// Two squads, and somebody who sees both.
pub struct Bank {
    pub world: World,
    pub payer: String,
    pub lender: String,
    pub admin: String,
    pub access: Access,
    _owners: NamedTempFile,
}

/// One caller.
#[derive(Clone, Copy)]
pub struct Client<'w> {
    pub world: &'w World,
    pub token: &'w str,
}

impl Client<'_> {
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.world.api().send(request.bearer_auth(self.token)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.world.api().request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.world.api().request(Method::POST, path).json(&body)).await
    }

    pub async fn delete(&self, body: Value) -> Answer {
        self.send(self.world.api().request(Method::DELETE, "/dead-letters?wait=30").json(&body)).await
    }

    /// The ids of what a search finds.
    pub async fn ids(&self, query: &str) -> Vec<String> {
        let found = self.get(&format!("/dead-letters?{query}")).await.assert(200).json;
        found["messages"].as_array().unwrap().iter().map(|letter| string(&letter["id"])).collect()
    }
}

pub fn string(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text")).to_owned()
}

/// What the twins have in common.
fn twin(message_id: &str, service: &str) -> DeadMessage {
    DeadMessage::new(message_id, &format!("work_{service}"))
        .error("CardDeclined", "card 4711 was declined")
        .header("tenant", text("acme"))
        .body(r#"{"order": {"id": 4711}}"#)
}

impl Bank {
    /// Each squad has three dead letters, with the same message ids.
    pub async fn open() -> Self {
        let access = Access::new(POLICY);
        let owners = NamedTempFile::new().unwrap();
        std::fs::write(
            owners.path(),
            "services:\n  - {service: pay, squad: squad-payments}\n  - {service: loan, squad: loans}\n",
        )
        .unwrap();
        let with_group = |name: &str, group: &str| {
            let (token, entry) = new_token(name);
            (token, format!("{entry}    groups: ['{group}']\n"))
        };
        let (payer, of_payer) = with_group("payer", "group:default/payments");
        let (lender, of_lender) = with_group("lender", "/loans");
        let (admin, of_admin) = with_group("admin", "nothing");
        access.know(&[&of_payer, &of_lender, &of_admin]);
        let mut settings = access.settings().to_vec();
        settings.push(("DEAD_LETTER_OWNERSHIP_FILE", owners.path().to_str().unwrap()));
        let world = World::start_with(&settings).await;
        for number in 0..3 {
            let message_id = format!("twin-{number}");
            world.publish(twin(&message_id, "pay")).await;
            world.publish(twin(&message_id, "loan")).await;
        }
        world.publish(DeadMessage::new(&id(), "nobodys")).await;
        world.until_stored(7).await;
        Self { payer, lender, admin, access, _owners: owners, world }
    }

    pub fn client<'b>(&'b self, token: &'b str) -> Client<'b> {
        Client { world: &self.world, token }
    }
}
