//! `dead-letter deployments`, `deployed` and `gate`: which versions ran since when, and whether a rollout may go on.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Answer, Api, Pairs};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::options::members;
use crate::output::{Output, print, print_line};
use crate::retry::Retry;
use crate::table::{Column, Table};
use crate::text::{age, field, line, list};
use crate::when::time_or_age;

const POLL_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Args, Debug)]
pub struct DeploymentsArgs {
    /// Service
    service: String,
    /// Only deployments in this environment
    #[arg(long)]
    environment: Option<String>,
    /// Maximum number of deployments, from 1 to 200
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
}

#[derive(Args, Debug)]
pub struct DeployedArgs {
    /// Service: the name that its dead letters have
    service: String,
    /// Version
    version: String,
    /// Environment, such as `production`
    #[arg(long)]
    environment: Option<String>,
    /// Commit
    #[arg(long)]
    commit: Option<String>,
    /// Address with more about it
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// When the first instance started: an RFC 3339 time, an age such as `5m`, or a time of day. Default: now, or the current deployment of
    /// this version
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    started: Option<String>,
    /// The rollout has ended: the last instance of the version before is gone
    #[arg(long)]
    finished: bool,
}

#[derive(Args, Debug)]
pub struct GateArgs {
    /// Service
    service: String,
    /// Version
    version: String,
    /// Only a deployment in this environment
    #[arg(long)]
    environment: Option<String>,
    /// Wait until the gate passes or fails
    #[arg(long)]
    wait: bool,
    /// Stop waiting after this time
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = humantime::parse_duration, requires = "wait")]
    timeout: Duration,
    /// Time for which the version is observed before the gate passes, 5m by default
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    window: Option<Duration>,
    /// This many new error groups are tolerated
    #[arg(long, value_name = "NUMBER")]
    max_new_groups: Option<u32>,
    /// Known errors may occur this many times as often as in the busiest five minutes of the week before
    #[arg(long, value_name = "NUMBER")]
    growth_factor: Option<u32>,
    /// Up to this many dead letters of a known error are no growth
    #[arg(long, value_name = "NUMBER")]
    growth_floor: Option<u32>,
}

pub(crate) async fn run(api: &Api, args: DeploymentsArgs, output: Output) -> Result<Ending, Failure> {
    let mut query: Pairs = vec![("service".into(), args.service), ("limit".into(), args.limit.to_string())];
    query.extend(args.environment.map(|name| ("environment".into(), name)));
    let answer = api.get("/deployments", &query).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let deployments = list(&answer.json, "deployments");
    if deployments.is_empty() {
        crate::remark_line!("No deployments.");
        return Ok(Ending::Done);
    }
    print(&table(deployments))?;
    if !answer.json["nextCursor"].is_null() {
        crate::remark_line!("There are more: raise --limit.");
    }
    Ok(Ending::Done)
}

fn table(deployments: &[Value]) -> String {
    let columns = [
        Column::long("VERSION"),
        Column::text("STARTED"),
        Column::text("FINISHED").expendable(1),
        Column::long("ENVIRONMENT").expendable(2),
        Column::long("COMMIT").expendable(3),
        Column::long("LINK").expendable(5),
        Column::long("TOLD BY").expendable(4),
    ];
    let (mut table, now) = (Table::new(columns), clock::now());
    for one in deployments {
        table.row([
            field(one, "version"),
            age(one, "startedAt", now),
            age(one, "finishedAt", now),
            field(one, "environment"),
            field(one, "commit"),
            field(one, "link"),
            field(one, "toldBy"),
        ]);
    }
    table.for_output()
}

pub(crate) async fn tell(api: &Api, args: DeployedArgs, output: Output) -> Result<Ending, Failure> {
    let request = Value::Object(members([
        ("service", json!(args.service)),
        ("version", json!(args.version)),
        ("environment", json!(args.environment)),
        ("commit", json!(args.commit)),
        ("link", json!(args.link)),
        ("startedAt", json!(args.started)),
        ("finishedAt", json!(args.finished.then(clock::now))),
    ]));
    // A repetition does no harm.
    let mut retry = Retry::default();
    let answer = loop {
        match api.post("/deployments", &request).await {
            Ok(answer) => break answer,
            Err(failure) => retry.wait(failure).await?,
        }
    };
    let Output::Text(zone) = output else {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    };
    let (service, version) = (field(&answer.json, "service"), field(&answer.json, "version"));
    crate::remark_line!(
        "{service} {version} has been running since {}.",
        zone.time(&answer.json, "startedAt")
    );
    Ok(Ending::Done)
}

pub(crate) async fn gate(api: &Api, args: GateArgs, output: Output) -> Result<Ending, Failure> {
    let query = args.query();
    let (begun, mut retry, mut said) = (Instant::now(), Retry::default(), String::new());
    loop {
        match api.get("/gate", &query).await {
            Ok(answer) => {
                retry.reset();
                let is_last =
                    !args.wait || answer.json["verdict"] != "wait" || begun.elapsed() >= args.timeout;
                if is_last {
                    return tell_verdict(&answer, output);
                }
                // How long it has waited is no news.
                let code = field(&answer.json["reasons"][0], "code");
                if said != code {
                    crate::remark_line!("{}", line(&field(&answer.json, "text")));
                    said = code;
                }
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            Err(failure) if args.wait => retry.wait(failure).await?,
            Err(failure) => return Err(failure),
        }
    }
}

fn tell_verdict(answer: &Answer, output: Output) -> Result<Ending, Failure> {
    let text = if output.is_json() { answer.text.clone() } else { line(&field(&answer.json, "text")) };
    print_line(&text)?;
    Ok(match answer.json["verdict"].as_str() {
        Some("pass") => Ending::Done,
        Some("fail") => Ending::Partial,
        _ => Ending::Stopped,
    })
}

impl GateArgs {
    fn query(&self) -> Pairs {
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let optional = [
            ("environment", self.environment.clone()),
            ("windowSeconds", self.window.map(|window| window.as_secs().to_string())),
            ("maxNewGroups", number(self.max_new_groups)),
            ("growthFactor", number(self.growth_factor)),
            ("growthFloor", number(self.growth_floor)),
        ];
        let mut query: Pairs =
            vec![("service".into(), self.service.clone()), ("version".into(), self.version.clone())];
        query.extend(optional.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
        query
    }
}
