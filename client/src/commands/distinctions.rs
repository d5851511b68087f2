//! `dead-letter group ID --why`: what sets the dead letters of an error group apart.

use serde_json::Value;
use uuid::Uuid;

use super::facets::sample;
use crate::api::Api;
use crate::ending::{Ending, Failure};
use crate::output::{Output, print, print_line};
use crate::table::{Column, Table};
use crate::text::{attribute, count, field, list, number, share};

pub(crate) async fn show(api: &Api, group: Uuid, output: Output) -> Result<Ending, Failure> {
    let answer = api.get(&format!("/dead-letters/error-groups/{group}/distinctions"), &[]).await?;
    if output.is_json() {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let distinctions = list(&answer.json, "distinctions");
    if !distinctions.is_empty() {
        print(&table(distinctions))?;
    }
    crate::remark!("{}", notes(&answer.json));
    Ok(Ending::Done)
}

fn table(distinctions: &[Value]) -> String {
    let columns = [Column::number("THESE"), Column::number("OTHERS"), Column::long("WHAT")];
    let mut table = Table::new(columns);
    for distinction in distinctions {
        let all = |name| list(distinction, name).iter().map(condition).collect::<Vec<_>>();
        table.row([
            share(&distinction["inside"]),
            share(&distinction["outside"]),
            all("conditions").join(" and "),
        ]);
        for same in all("together") {
            table.row([String::new(), String::new(), format!("  the same: {same}")]);
        }
    }
    table.for_output()
}

/// `header tenant = acme`, `no header trace`, `body order.total from 900 to 1800`.
fn condition(condition: &Value) -> String {
    let attribute = attribute(condition, "attribute");
    let value = field(condition, "value");
    match &*field(condition, "test") {
        "is" => format!("{attribute} = {value}"),
        "isNot" => format!("{attribute} other than {value}"),
        "missing" => format!("no {attribute}"),
        "between" => match (&*field(condition, "from"), &*field(condition, "to")) {
            (from, "") => format!("{attribute} from {from}"),
            ("", to) => format!("{attribute} up to {to}"),
            (from, to) => format!("{attribute} from {from} to {to}"),
        },
        _ => format!("has {attribute}"),
    }
}

/// What was compared with what, and what was not looked at.
fn notes(answer: &Value) -> String {
    let mut notes = format!("In the group: {}\n", sample(&answer["inside"]));
    if answer["comparedWith"] == "nothing" {
        notes.push_str(
            "The service has no other dead letters to compare with. This is what they have in common, be it the cause or not.\n",
        );
    } else {
        notes.extend(["Others of the service: ", &sample(&answer["outside"]), "\n"]);
    }
    if answer["tooFew"] == true {
        notes.push_str("Of fewer than three dead letters nothing can be said.\n");
    } else if list(answer, "distinctions").is_empty() {
        notes.push_str("Nothing that was looked at sets them apart.\n");
    }
    if answer["payload"] == false {
        notes.push_str(
            "Publisher, headers and bodies were not looked at: this needs the permission `read-payload`.\n",
        );
    }
    match number(answer, "unreadBodies") {
        0 => {}
        unread => {
            notes.extend([&count(unread), " bodies were not looked at: they are too large.\n"]);
        }
    }
    notes
}
