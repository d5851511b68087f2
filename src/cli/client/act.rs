//! `dead-letter redeliver`, `delete` and `restore`: a plan, a question, an operation, and its progress.

use clap::Args;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::api::{Answer, Api};
use super::confirm::{ask, can_ask};
use super::ending::{Ending, Failure};
use super::output::print_line;
use super::plan::{self, Kind, Planned};
use super::selection::{SelectionArgs, Target};
use super::text::{count, dead_letters, field};
use super::watch::watch;

#[derive(Args, Debug)]
pub(super) struct ActArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// What this plan froze
    #[arg(long, value_name = "ID")]
    plan: Option<Uuid>,
    /// At most so many messages a second
    #[arg(long, value_name = "NUMBER")]
    rate: Option<i64>,
    /// Why, in your own words, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Begin, print the operation's id, and do not wait for its end
    #[arg(long)]
    detach: bool,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RedeliverArgs {
    #[command(flatten)]
    act: ActArgs,
    /// Where messages go: `queue` (that each died in), `exchange`, `queue:NAME`, `exchange:NAME/ROUTING-KEY`
    #[arg(long, value_name = "TARGET")]
    to: Option<Target>,
    /// Steps: after so many in all, wait, and go on only if they did not come back
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    canary: Option<Vec<i64>>,
    /// How long to wait at each step
    #[arg(long, value_name = "SECONDS", requires = "canary")]
    canary_wait: Option<i64>,
    /// Pause when more than so many in a hundred came back
    #[arg(long, value_name = "PERCENT", requires = "canary")]
    canary_max_returned: Option<f64>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct DeleteArgs {
    #[command(flatten)]
    act: ActArgs,
}

pub(super) async fn redeliver(api: &Api, args: RedeliverArgs, json: bool) -> Result<Ending, Failure> {
    let canary = [
        ("canary", json!(args.canary)),
        ("canaryWait", json!(args.canary_wait)),
        ("canaryMaxReturned", json!(args.canary_max_returned)),
    ];
    if args.act.plan.is_some() && args.to.is_some() {
        return Err(settled_by_plan());
    }
    Act { api, kind: Kind::Redeliver, args: args.act, to: args.to, json }.run(canary).await
}

pub(super) async fn delete_or_restore(
    api: &Api,
    args: DeleteArgs,
    json: bool,
    kind: Kind,
) -> Result<Ending, Failure> {
    Act { api, kind, args: args.act, to: None, json }.run([]).await
}

fn settled_by_plan() -> Failure {
    Failure::Refused(
        "the plan has settled which dead letters, how many, and where to: make another one".into(),
    )
}

/// One of the three.
struct Act<'a> {
    api: &'a Api,
    kind: Kind,
    args: ActArgs,
    to: Option<Target>,
    json: bool,
}

impl Act<'_> {
    async fn run(self, more: impl IntoIterator<Item = (&'static str, Value)>) -> Result<Ending, Failure> {
        if !self.args.yes && !can_ask() {
            return Err(Failure::Refused(format!(
                "{} asks before it changes anything, and there is no terminal to ask on: nothing was done; give --yes",
                self.kind.as_str()
            )));
        }
        let options = [("rate", json!(self.args.rate)), ("note", json!(self.args.note))];
        let given = options.into_iter().chain(more).filter(|(_, value)| !value.is_null());
        let mut request: Map<_, _> = given.map(|(name, value)| (name.to_owned(), value)).collect();
        let has_work = match self.args.plan {
            Some(id) => self.agree_to_plan(id, &mut request).await?,
            None => self.agree_to_selection(&mut request).await?,
        };
        if !has_work {
            return Ok(Ending::Done);
        }
        let Some(operation) = self.start(request).await? else { return Ok(Ending::Interrupted) };
        let id = field(&operation.json, "id");
        if !self.args.detach {
            eprintln!("operation {id}");
            return watch(self.api, operation, self.json).await;
        }
        print_line(if self.json { &operation.text } else { &id })?;
        Ok(Ending::Done)
    }

    /// Freezes the selection and asks with the exact count; tells whether there is anything to do.
    async fn agree_to_selection(&self, request: &mut Map<String, Value>) -> Result<bool, Failure> {
        let selection = &self.args.selection;
        let body = plan::body(self.kind, selection, self.to.as_ref())?;
        let planned = plan::make(self.api, self.kind, selection, body.clone()).await?;
        if planned.total() == 0 {
            eprintln!("no dead letter is selected: nothing was done");
            return Ok(false);
        }
        match &planned {
            Planned::Plan(plan) => {
                request.insert("planId".into(), plan.json["id"].clone());
                self.agree(&planned.count(), Some(&plan.json))?;
            }
            Planned::Counted { .. } => {
                request.extend(body);
                self.agree(&planned.count(), None)?;
            }
        }
        Ok(true)
    }

    /// Asks with what the plan says, as far as the server shows plans.
    async fn agree_to_plan(&self, id: Uuid, request: &mut Map<String, Value>) -> Result<bool, Failure> {
        if self.args.selection.contradicts_plan() {
            return Err(settled_by_plan());
        }
        request.insert("planId".into(), json!(id));
        let plan = self.api.get(&format!("/operations/plan/{id}"), &[]).await?.json;
        let (kind, planned) = (self.kind.as_str(), field(&plan, "kind"));
        if kind != planned {
            return Err(Failure::Refused(format!(
                "this plan is to {planned}: dead-letter {planned} --plan {id}"
            )));
        }
        self.agree(&dead_letters(super::text::number(&plan, "total")), Some(&plan))?;
        Ok(true)
    }

    fn agree(&self, how_many: &str, plan: Option<&Value>) -> Result<(), Failure> {
        if self.args.yes {
            eprint!("{}", plan.map(plan::warnings).unwrap_or_default());
            return Ok(());
        }
        eprint!("{}", plan.map(plan::summary).unwrap_or_default());
        let target = match self.kind {
            Kind::Redeliver => Target::said(self.to.as_ref()),
            Kind::Delete | Kind::Restore => String::new(),
        };
        let rate = self.args.rate.map_or_else(String::new, |rate| format!(", {} a second", count(rate)));
        ask(&format!("{} {how_many}{target}{rate}?", self.kind.as_str()))
    }

    /// Asks for the operation; `None` at Ctrl-C.
    async fn start(&self, request: Map<String, Value>) -> Result<Option<Answer>, Failure> {
        let unknown = "whether it began is not known: see dead-letter operations";
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
