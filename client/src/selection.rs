//! The dead letters that a plan or an operation selects.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use crate::ending::Failure;
use crate::filter::FilterArgs;
use crate::options::{Members, members};
use crate::short_id::full_id;

#[derive(Args, Clone, Debug)]
pub(crate) struct SelectionArgs {
    /// Ids of dead letters
    #[arg(value_name = "ID", value_parser = full_id)]
    pub(crate) ids: Vec<Uuid>,
    /// All dead letters
    #[arg(long)]
    all: bool,
    /// Maximum number of dead letters, the first by --order
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<i64>,
    /// Order of selecting and sending: `newest` (default) or `oldest` arrival first; `any` sends as fast as possible
    #[arg(long)]
    order: Option<String>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DeletedByArgs {
    /// Restore the dead letters that this operation deleted
    #[arg(long, value_name = "ID")]
    pub(crate) deleted_by: Option<Uuid>,
}

impl SelectionArgs {
    /// Whether no flag of the selection is given.
    pub(crate) fn is_empty(&self) -> bool {
        let selects = !self.ids.is_empty() || !self.filter.pairs().is_empty() || self.all;
        !selects && self.limit.is_none() && self.order.is_none()
    }

    /// The selection as members of a request.
    pub(crate) fn members(&self, deleted_by: Option<Uuid>) -> Result<Members, Failure> {
        let filter = self.filter.json();
        let parts = match (self.ids.is_empty(), filter.is_empty(), self.all, deleted_by) {
            (false, true, false, None) => members([("ids", json!(self.ids))]),
            (true, false, false, None) => members([("filter", json!(filter))]),
            (true, true, true, None) => members([("filter", json!({})), ("all", json!(true))]),
            (true, true, false, Some(operation)) => members([("deletedBy", json!(operation))]),
            (true, true, false, None) => {
                return Err(Failure::Refused("Nothing is selected. Give ids, a filter, or --all.".into()));
            }
            _ => {
                let message = "Give only one of ids, a filter, --all, --deleted-by.";
                return Err(Failure::Refused(message.into()));
            }
        };
        let options = members([("limit", json!(self.limit)), ("order", json!(self.order))]);
        Ok(parts.into_iter().chain(options).collect())
    }
}
