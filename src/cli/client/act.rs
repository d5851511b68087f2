//! `dead-letter redeliver`, `delete` and `restore`: a plan, a question, an operation, and its progress.

use clap::Args;
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Answer, Api};
use super::confirm::{ask, can_ask};
use super::ending::{Ending, Failure};
use super::options::{Members, OptionArgs, RedeliveryArgs, Target, members};
use super::output::{Output, print_line};
use super::plan::{self, Kind, Planned};
use super::selection::{DeletedByArgs, SelectionArgs};
use super::text::{count, field};
use super::watch::{WatchingArgs, watch};

#[derive(Args, Debug)]
pub(in crate::cli) struct ActArgs {
    #[command(flatten)]
    options: OptionArgs,
    /// What this plan froze, and as it was planned; only --rate and --note may differ
    #[arg(long, value_name = "ID")]
    plan: Option<Uuid>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Begin, print the operation's id, and do not wait for its end
    #[arg(long, conflicts_with = "no_watch")]
    detach: bool,
    #[command(flatten)]
    patience: WatchingArgs,
    #[command(flatten)]
    selection: SelectionArgs,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RedeliverArgs {
    #[command(flatten)]
    redelivery: RedeliveryArgs,
    #[command(flatten)]
    act: ActArgs,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RestoreArgs {
    #[command(flatten)]
    deleted: DeletedByArgs,
    #[command(flatten)]
    act: ActArgs,
}

pub(super) async fn redeliver(api: &Api, args: RedeliverArgs, output: Output) -> Result<Ending, Failure> {
    let RedeliverArgs { redelivery, act } = args;
    Change { api, kind: Kind::Redeliver, act, redelivery, deleted: DeletedByArgs::default(), output }
        .run()
        .await
}

pub(super) async fn delete(api: &Api, act: ActArgs, output: Output) -> Result<Ending, Failure> {
    let (redelivery, deleted) = (RedeliveryArgs::default(), DeletedByArgs::default());
    Change { api, kind: Kind::Delete, act, redelivery, deleted, output }.run().await
}

pub(super) async fn restore(api: &Api, args: RestoreArgs, output: Output) -> Result<Ending, Failure> {
    let RestoreArgs { deleted, act } = args;
    Change { api, kind: Kind::Restore, act, redelivery: RedeliveryArgs::default(), deleted, output }
        .run()
        .await
}

/// One of the three, as it was asked for.
struct Change<'a> {
    api: &'a Api,
    kind: Kind,
    act: ActArgs,
    redelivery: RedeliveryArgs,
    deleted: DeletedByArgs,
    output: Output,
}

/// What was agreed to.
struct Agreed {
    request: Members,
    /// Dead letters that were named, and that nothing can be done with now.
    left_out: bool,
}

impl Change<'_> {
    async fn run(self) -> Result<Ending, Failure> {
        if !self.act.yes && !can_ask() {
            return Err(Failure::Refused(format!(
                "{} needs confirmation, and this is not a terminal. Nothing was done; add --yes.",
                self.kind.as_str()
            )));
        }
        let agreed = match self.act.plan {
            Some(id) => self.agree_to_plan(id).await?,
            None => self.agree_to_selection().await?,
        };
        let Some(Agreed { request, left_out }) = agreed else {
            eprintln!("No dead letter is selected. Nothing was done.");
            let names_some = !self.act.selection.ids.is_empty();
            return Ok(if names_some { Ending::NotFound } else { Ending::Done });
        };
        let Some(operation) = self.start(request).await? else { return Ok(Ending::Interrupted) };
        let id = field(&operation.json, "id");
        if self.act.detach {
            print_line(if self.output.is_json() { &operation.text } else { &id })?;
            return Ok(Ending::Done);
        }
        eprintln!("operation {id}");
        let ending = watch(self.api, operation, self.act.patience, self.output).await?;
        Ok(if ending == Ending::Done && left_out { Ending::Partial } else { ending })
    }

    /// Freezes the selection and asks with the exact count; `None` where there is nothing to do.
    async fn agree_to_selection(&self) -> Result<Option<Agreed>, Failure> {
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
            eprint!("{}", shown.map(plan::warnings).unwrap_or_default());
            return Ok(None);
        }
        self.agree(&planned.count(), shown)?;
        let asked = selection.limit.map_or(selection.ids.len(), |limit| {
            selection.ids.len().min(usize::try_from(limit).unwrap_or_default())
        });
        Ok(Some(Agreed {
            request,
            left_out: usize::try_from(planned.total()).is_ok_and(|total| total < asked),
        }))
    }

    /// Asks with what the plan says, as far as the server shows plans.
    async fn agree_to_plan(&self, id: Uuid) -> Result<Option<Agreed>, Failure> {
        let has_more = !self.redelivery.members().is_empty() || self.deleted.deleted_by.is_some();
        if has_more || !self.act.selection.is_empty() {
            let message = "The plan fixed which dead letters, and how. Only --rate and --note may differ.";
            return Err(Failure::Refused(message.into()));
        }
        let kind = self.kind.as_str();
        match self.api.get(&format!("/operations/plan/{id}"), &[]).await {
            Ok(plan) => {
                let planned = field(&plan.json, "kind");
                if kind != planned {
                    let message = format!("this plan is to {planned}: dead-letter {planned} --plan {id}");
                    return Err(Failure::Refused(message));
                }
                self.agree(&Planned::Plan(plan.clone()).count(), Some(&plan.json))?;
            }
            Err(failure) if failure.is_unknown_route() => self.agree("what the plan froze", None)?,
            Err(failure) => return Err(failure),
        }
        let mut request = self.act.options.members();
        request.insert("planId".into(), json!(id));
        Ok(Some(Agreed { request, left_out: false }))
    }

    fn agree(&self, how_many: &str, plan: Option<&Value>) -> Result<(), Failure> {
        if self.act.yes {
            eprint!("{}", plan.map(plan::warnings).unwrap_or_default());
            return Ok(());
        }
        eprint!("{}", plan.map(plan::summary).unwrap_or_default());
        let mut question = format!("{} {how_many}", self.kind.as_str());
        if self.kind == Kind::Redeliver && self.act.plan.is_none() {
            question = format!("{question} {}", Target::said(self.redelivery.to.as_ref()));
        }
        if let Some(rate) = self.act.options.rate {
            question = format!("{question}, {} a second", count(rate));
        }
        ask(&format!("{question}?"))
    }

    /// Asks for the operation; `None` at Ctrl-C.
    async fn start(&self, request: Members) -> Result<Option<Answer>, Failure> {
        let unknown = "It is not known whether the operation began. To see: dead-letter operations";
        let request = Value::Object(request);
        tokio::select! {
            answer = self.api.post("/operations", &request) => match answer {
                Err(Failure::NoAnswer { message, connected: true }) => {
                    Err(Failure::Failed(format!("{message}; {unknown}")))
                }
                answer => answer.map(Some),
            },
            _ = tokio::signal::ctrl_c() => {
                eprintln!("dead-letter: {unknown}");
                Ok(None)
            }
        }
    }
}
