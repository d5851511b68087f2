//! `dead-letter assign`, `link`, `merge` and `split`: who is on an error group, its ticket, and which groups are one.

use clap::Args;
use serde_json::json;

use super::group::change;
use crate::api::Api;
use crate::ending::{Ending, Failure};
use crate::output::Output;
use crate::short_id::{GroupIdArgs, Things};

#[derive(Args, Debug)]
pub struct AssignArgs {
    #[command(flatten)]
    group: GroupIdArgs,
    /// Who is on it, such as user:default/ada or group:default/checkout; `me` for yourself
    assignee: String,
    /// Reason, kept with the group
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args, Debug)]
pub struct LinkArgs {
    #[command(flatten)]
    group: GroupIdArgs,
    /// Address of the ticket, with http or https
    url: String,
    /// What people call the ticket, such as SHOP-123
    #[arg(long)]
    key: Option<String>,
    /// Reason, kept with the group
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args, Debug)]
pub struct GroupsOfArgs {
    #[command(flatten)]
    group: GroupIdArgs,
    /// Ids of the groups to merge into it; for `split`: ids that `dead-letter group` shows as merged into it
    #[arg(required = true, value_name = "OTHER")]
    others: Vec<String>,
    /// Reason, kept with the group
    #[arg(long)]
    note: Option<String>,
}

/// What is done with other groups.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Regroup {
    Merge,
    Split,
}

pub(crate) async fn assign(api: &Api, args: AssignArgs, output: Output) -> Result<Ending, Failure> {
    let parts = [("action", json!("assign")), ("assignee", json!(args.assignee)), ("note", json!(args.note))];
    change(api, &args.group, parts, output).await
}

pub(crate) async fn link(api: &Api, args: LinkArgs, output: Output) -> Result<Ending, Failure> {
    let parts = [
        ("action", json!("link")),
        ("ticketUrl", json!(args.url)),
        ("ticketKey", json!(args.key)),
        ("note", json!(args.note)),
    ];
    change(api, &args.group, parts, output).await
}

pub(crate) async fn regroup(
    api: &Api,
    args: GroupsOfArgs,
    output: Output,
    what: Regroup,
) -> Result<Ending, Failure> {
    let mut others = Vec::new();
    for other in &args.others {
        others.push(match what {
            Regroup::Merge => Things::Groups.find(api, other).await?,
            // A merged group is in no list, and its short id would be looked for in vain.
            Regroup::Split => other.parse().map_err(|_| {
                Failure::Refused(format!("{other} is not a full id. `dead-letter group` lists the ids that are merged into a group."))
            })?,
        });
    }
    let action = match what {
        Regroup::Merge => "merge",
        Regroup::Split => "split",
    };
    let parts = [("action", json!(action)), ("groups", json!(others)), ("note", json!(args.note))];
    change(api, &args.group, parts, output).await
}
