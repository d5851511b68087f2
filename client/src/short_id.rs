//! Ids as people give them: in full, or their beginning or end.

use clap::Args;
use uuid::Uuid;

use crate::api::{Api, Pairs};
use crate::ending::Failure;
use crate::text::{line, list};

/// Shortened ids are looked up among this many, the newest operations or the largest groups.
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
        Things::Operations.find(api, &self.id).await
    }
}

#[derive(Args, Clone, Debug)]
pub struct GroupIdArgs {
    /// Id of the error group; for one in `dead-letter groups --status any`, the first or last 4 characters are enough
    group: String,
}

impl GroupIdArgs {
    /// The id in full.
    pub(crate) async fn find(&self, api: &Api) -> Result<Uuid, Failure> {
        Things::Groups.find(api, &self.group).await
    }
}

/// What has ids that can be shortened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Things {
    Operations,
    Groups,
}

impl Things {
    fn noun(self) -> &'static str {
        match self {
            Self::Operations => "operation",
            Self::Groups => "error group",
        }
    }

    /// The list in which shortened ids are looked up: the words for it, its route, and its member.
    fn listed(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Operations => ("last", "/operations", "operations"),
            Self::Groups => ("largest", "/dead-letters/error-groups", "groups"),
        }
    }

    fn query(self) -> Pairs {
        let mut query = vec![("limit".into(), RECENT.to_string())];
        if matches!(self, Self::Groups) {
            query.push(("status".into(), "any".to_owned()));
        }
        query
    }

    /// The id that is given, in full.
    pub(crate) async fn find(self, api: &Api, given: &str) -> Result<Uuid, Failure> {
        let short = given.trim_start_matches('…').to_ascii_lowercase();
        if let Ok(id) = Uuid::parse_str(&short) {
            return Ok(id);
        }
        let (noun, (which, route, member)) = (self.noun(), self.listed());
        let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
        if short.len() < SHORTEST || !short.chars().all(is_id) {
            let given = line(given);
            let article = if matches!(self, Self::Groups) { "the id of an" } else { "an" };
            let what = if matches!(self, Self::Groups) { noun.to_owned() } else { format!("{noun} id") };
            let message = format!("{given} is not {article} {what}. To list {noun}s: dead-letter {member}");
            return Err(Failure::Refused(message));
        }
        let answer = api.get(route, &self.query()).await?;
        let ids = list(&answer.json, member).iter().filter_map(|one| one["id"].as_str());
        let found: Vec<_> = ids.filter(|id| id.starts_with(&short) || id.ends_with(&short)).collect();
        match found[..] {
            [id] => id.parse().map_err(|_| Failure::Failed("Cannot read the server's response.".into())),
            [] => {
                let message = format!(
                    "No {noun} found: no id of the {which} {RECENT} {noun}s starts or ends with {short}."
                );
                Err(Failure::NotFound(message))
            }
            _ => {
                let message =
                    format!("{} {noun}s match {short}. Give more characters of the id.", found.len());
                Err(Failure::Refused(message))
            }
        }
    }
}

/// Parses the full id of a dead letter that is to be acted on. A shortened one could be another's.
pub(crate) fn full_id(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text)
        .map_err(|_| format!("not a full id. For the full id: dead-letter show {}", line(text)))
}
