//! Which dead letters a plan or an operation is about.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::ending::Failure;
use super::filter::FilterArgs;
use super::options::{Members, members};

/// Ids, or a filter, or all of them.
#[derive(Args, Clone, Debug)]
pub(super) struct SelectionArgs {
    /// These dead letters
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<Uuid>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// At most so many, the first by --order
    #[arg(long, value_name = "NUMBER")]
    pub(super) limit: Option<i64>,
    /// `newest` (the default) or `oldest` arrival first, also at the queues; `any`: as fast as they go
    #[arg(long)]
    order: Option<String>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
}

/// Of restoring.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct DeletedByArgs {
    /// What this operation deleted, to be restored
    #[arg(long, value_name = "ID")]
    pub(super) deleted_by: Option<Uuid>,
}

impl SelectionArgs {
    /// Whether nothing of it was given.
    pub(super) fn is_empty(&self) -> bool {
        let selects = !self.ids.is_empty() || !self.filter.pairs().is_empty() || self.all;
        !selects && self.limit.is_none() && self.order.is_none()
    }

    /// As members of a request.
    pub(super) fn members(&self, deleted_by: Option<Uuid>) -> Result<Members, Failure> {
        let filter = self.filter.json();
        let parts = match (self.ids.is_empty(), filter.is_empty(), self.all, deleted_by) {
            (false, true, false, None) => members([("ids", json!(self.ids))]),
            (true, false, false, None) => members([("filter", json!(filter))]),
            (true, true, true, None) => members([("filter", json!({})), ("all", json!(true))]),
            (true, true, false, Some(operation)) => members([("deletedBy", json!(operation))]),
            (true, true, false, None) => {
                return Err(Failure::Refused("nothing is selected: give ids, or a filter, or --all".into()));
            }
            _ => {
                let message = "give one of ids, a filter, --all, --deleted-by: they contradict each other";
                return Err(Failure::Refused(message.into()));
            }
        };
        let options = members([("limit", json!(self.limit)), ("order", json!(self.order))]);
        Ok(parts.into_iter().chain(options).collect())
    }
}
