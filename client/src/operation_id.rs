//! The id of an operation as people give it: in full, or its beginning or end.

use clap::Args;
use uuid::Uuid;

use crate::api::Api;
use crate::ending::Failure;
use crate::text::{line, list};

/// Shortened ids are looked up among this many operations, the newest.
const RECENT: u32 = 200;
/// Shorter ids are treated as typing mistakes.
const SHORTEST: usize = 4;

#[derive(Args, Clone, Debug)]
pub struct OperationArgs {
    /// Id of the operation; for a recent one, the first or last 4 characters are enough
    id: String,
}

impl OperationArgs {
    /// The id in full.
    pub(crate) async fn find(&self, api: &Api) -> Result<Uuid, Failure> {
        let short = self.id.trim_start_matches('…').to_ascii_lowercase();
        if let Ok(id) = Uuid::parse_str(&short) {
            return Ok(id);
        }
        let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
        if short.len() < SHORTEST || !short.chars().all(is_id) {
            let message = format!(
                "{} is not an operation id. To list operations: dead-letter operations",
                line(&self.id)
            );
            return Err(Failure::Refused(message));
        }
        let answer = api.get("/operations", &[("limit".into(), RECENT.to_string())]).await?;
        let ids = list(&answer.json, "operations").iter().filter_map(|operation| operation["id"].as_str());
        let found: Vec<_> = ids.filter(|id| id.starts_with(&short) || id.ends_with(&short)).collect();
        match found[..] {
            [id] => id.parse().map_err(|_| Failure::Failed("Cannot read the server's response.".into())),
            [] => {
                let message = format!(
                    "No operation found: no id of the last {RECENT} operations starts or ends with {short}."
                );
                Err(Failure::NotFound(message))
            }
            _ => {
                let message =
                    format!("{} operations match {short}. Give more characters of the id.", found.len());
                Err(Failure::Refused(message))
            }
        }
    }
}
