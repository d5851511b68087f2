//! `shuttle.yaml` calls the project's own commands.

use regex::Regex;
use serde_json::Value;

use crate::repository::{Page, expect_none};

/// What a script does in the shell, with the names of its arguments.
fn actions(script: &Value) -> (Vec<&str>, Vec<&str>) {
    let list = |key: &str| script[key].as_array().map_or(&[][..], Vec::as_slice);
    let shell = list("actions").iter().map(|action| action["shell"].as_str().unwrap_or_default());
    let arguments = list("args").iter().filter_map(|argument| argument["name"].as_str());
    (shell.collect(), arguments.collect())
}

#[test]
fn scripts_of_shuttle_call_make_targets() {
    let plan = Page::read("shuttle.yaml");
    let plan: Value = serde_saphyr::from_str(&plan.text).unwrap();
    let makefile = Page::read("Makefile").text;
    let call = Regex::new(r"^make((?: [a-z][a-z0-9-]*)+)(?: [A-Z_]+=\S+)*$").unwrap();
    let variable = Regex::new(r"\$\{?(\w+)").unwrap();
    let mut faults = Vec::new();
    let scripts = plan["scripts"].as_object().unwrap();
    assert!(!scripts.is_empty());
    for (name, script) in scripts {
        let (shell, arguments) = actions(script);
        if shell.is_empty() || script["description"].as_str().is_none_or(str::is_empty) {
            faults.push(format!("shuttle.yaml: {name} needs a description and actions"));
        }
        for action in shell {
            let targets = call.captures(action).map(|found| found[1].to_owned()).unwrap_or_default();
            if targets.is_empty() {
                faults.push(format!("shuttle.yaml: {name} does not run make: {action}"));
            }
            for target in
                targets.split_whitespace().filter(|target| !makefile.contains(&format!("\n{target}:")))
            {
                faults.push(format!("shuttle.yaml: {name}: there is no make target {target}"));
            }
            let variables = variable.captures_iter(action).map(|found| found[1].to_owned());
            for variable in variables.filter(|variable| !arguments.contains(&variable.as_str())) {
                faults.push(format!("shuttle.yaml: {name} has no argument {variable}"));
            }
        }
    }
    expect_none(&faults);
}
