//! `dead-letter redeliver`, `delete` and `restore`: plan, confirmation, operation, progress.

use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use super::plan::{self, Kind, Planned};
use super::watch::{WatchingArgs, watch};
use crate::api::{Answer, Api};
use crate::confirm::{ask, can_ask};
use crate::ending::{Ending, Failure};
use crate::options::{Members, OptionArgs, RedeliveryArgs, Target, members};
use crate::output::{Output, print_line};
use crate::selection::{DeletedByArgs, SelectionArgs};
use crate::text::{count, field};

#[derive(Args, Debug)]
pub struct ActArgs {
    #[command(flatten)]
    options: OptionArgs,
    /// Run this plan. Only --rate and --note can be changed
    #[arg(long, value_name = "ID")]
    plan: Option<Uuid>,
    /// Do not ask for confirmation
    #[arg(long, short)]
    yes: bool,
    /// Start the operation, print its id and exit
    #[arg(long, conflicts_with = "no_watch")]
    detach: bool,
    #[command(flatten)]
    watching: WatchingArgs,
    #[command(flatten)]
    selection: SelectionArgs,
}

#[derive(Args, Debug)]
pub struct RedeliverArgs {
    #[command(flatten)]
    redelivery: RedeliveryArgs,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Args, Debug)]
pub struct RestoreArgs {
    #[command(flatten)]
    deleted: DeletedByArgs,
    #[command(flatten)]
    act: ActArgs,
}

pub(crate) async fn redeliver(api: &Api, args: RedeliverArgs, output: Output) -> Result<Ending, Failure> {
    let RedeliverArgs { redelivery, act } = args;
    Change { api, kind: Kind::Redeliver, act, redelivery, deleted: DeletedByArgs::default(), output }
        .run()
        .await
}

pub(crate) async fn delete(api: &Api, act: ActArgs, output: Output) -> Result<Ending, Failure> {
    let (redelivery, deleted) = (RedeliveryArgs::default(), DeletedByArgs::default());
    Change { api, kind: Kind::Delete, act, redelivery, deleted, output }.run().await
}

pub(crate) async fn restore(api: &Api, args: RestoreArgs, output: Output) -> Result<Ending, Failure> {
    let RestoreArgs { deleted, act } = args;
    Change { api, kind: Kind::Restore, act, redelivery: RedeliveryArgs::default(), deleted, output }
        .run()
        .await
}

/// A command with its arguments.
struct Change<'a> {
    api: &'a Api,
    kind: Kind,
    act: ActArgs,
    redelivery: RedeliveryArgs,
    deleted: DeletedByArgs,
    output: Output,
}

/// A confirmed request.
struct Confirmed {
    request: Members,
    /// Whether some of the given ids cannot be acted on now.
    is_partial: bool,
}

impl Change<'_> {
    async fn run(self) -> Result<Ending, Failure> {
        if !self.act.yes && !can_ask() {
            return Err(Failure::Refused(format!(
                "{} needs confirmation, and this is not a terminal. Nothing was done; add --yes.",
                self.kind.as_str()
            )));
        }
        let confirmed = match self.act.plan {
            Some(id) => self.confirm_plan(id).await?,
            None => self.confirm_selection().await?,
        };
        let Some(Confirmed { request, is_partial }) = confirmed else {
            crate::remark_line!("No dead letters match. Nothing was done.");
            let has_ids = !self.act.selection.ids.is_empty();
            return Ok(if has_ids { Ending::NotFound } else { Ending::Done });
        };
        let Some(operation) = self.start(request).await? else { return Ok(Ending::Interrupted) };
        let id = field(&operation.json, "id");
        if self.act.detach {
            print_line(if self.output.is_json() { &operation.text } else { &id })?;
            return Ok(Ending::Done);
        }
        crate::remark_line!("operation {id}");
        let ending = watch(self.api, operation, self.act.watching, self.output).await?;
        Ok(if ending == Ending::Done && is_partial { Ending::Partial } else { ending })
    }

    /// Freezes the selection and asks with the exact count. `None` if the selection is empty.
    async fn confirm_selection(&self) -> Result<Option<Confirmed>, Failure> {
        let selection = &self.act.selection;
        let mut body = selection.members(self.deleted.deleted_by)?;
        body.extend(self.act.options.members());
        body.extend(self.redelivery.members());
        let planned = plan::make(self.api, self.kind, selection, &mut body).await?;
        let (request, shown) = match &planned {
            Planned::Plan(plan) => (members([("planId", plan.json["id"].clone())]), Some(&plan.json)),
            Planned::Counted { .. } => (body, None),
        };
        if planned.total() == 0 {
            crate::remark!("{}", shown.map(plan::warnings).unwrap_or_default());
            return Ok(None);
        }
        self.confirm(&planned.count(), shown)?;
        let asked = selection.limit.map_or(selection.ids.len(), |limit| {
            selection.ids.len().min(usize::try_from(limit).unwrap_or_default())
        });
        Ok(Some(Confirmed {
            request,
            is_partial: usize::try_from(planned.total()).is_ok_and(|total| total < asked),
        }))
    }

    /// Asks with the content of the plan, if the server can show plans.
    async fn confirm_plan(&self, id: Uuid) -> Result<Option<Confirmed>, Failure> {
        let has_more = !self.redelivery.members().is_empty() || self.deleted.deleted_by.is_some();
        if has_more || !self.act.selection.is_empty() {
            let message = "A plan fixes its selection and options. Only --rate and --note can be changed.";
            return Err(Failure::Refused(message.into()));
        }
        let kind = self.kind.as_str();
        match self.api.get(&format!("/operations/plan/{id}"), &[]).await {
            Ok(plan) => {
                let planned = field(&plan.json, "kind");
                if kind != planned {
                    let message =
                        format!("This plan is to {planned}. To run it: dead-letter {planned} --plan {id}");
                    return Err(Failure::Refused(message));
                }
                self.confirm(&Planned::Plan(plan.clone()).count(), Some(&plan.json))?;
            }
            Err(failure) if failure.is_unknown_route() => {
                self.confirm("the dead letters of the plan", None)?;
            }
            Err(failure) => return Err(failure),
        }
        let mut request = self.act.options.members();
        request.insert("planId".into(), json!(id));
        Ok(Some(Confirmed { request, is_partial: false }))
    }

    fn confirm(&self, dead_letters: &str, plan: Option<&Value>) -> Result<(), Failure> {
        if self.act.yes {
            crate::remark!("{}", plan.map(plan::warnings).unwrap_or_default());
            return Ok(());
        }
        crate::remark!("{}", plan.map(plan::summary).unwrap_or_default());
        let mut question = format!("{} {dead_letters}", self.kind.title());
        if self.kind == Kind::Redeliver && self.act.plan.is_none() {
            question = format!("{question} {}", Target::text(self.redelivery.to.as_ref()));
        }
        if let Some(rate) = self.act.options.rate {
            question = format!("{question}, at most {} a second", count(rate));
        }
        ask(&format!("{question}?"))
    }

    /// Starts the operation. `None` on Ctrl-C.
    async fn start(&self, request: Members) -> Result<Option<Answer>, Failure> {
        let unknown = "The operation may have started. To check: dead-letter operations";
        let request = Value::Object(request);
        tokio::select! {
            answer = self.api.post("/operations", &request) => match answer {
                Err(Failure::NoAnswer { message, connected: true }) => {
                    Err(Failure::Failed(format!("{message}. {unknown}")))
                }
                answer => answer.map(Some),
            },
            _ = tokio::signal::ctrl_c() => {
                crate::remark_line!("dead-letter: {unknown}");
                Ok(None)
            }
        }
    }
}
