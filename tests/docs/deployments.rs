//! The examples of `docs/deployments.md` ask what the API answers.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::repository::Page;

/// The blocks of this language, as YAML.
fn blocks(page: &str) -> Vec<Value> {
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks
        .map(|(yaml, _)| serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}: {yaml}")))
        .collect()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The parameters of a route, by their names.
fn parameters(document: &Value, path: &str) -> BTreeSet<String> {
    let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap().iter();
    parameters.map(|one| text(one, "/name").to_owned()).collect()
}

#[test]
fn the_analysis_template_asks_what_the_gate_answers() {
    let document: Value = serde_json::from_str(&Page::read("openapi/openapi.json").text).unwrap();
    let blocks = blocks(&Page::read("docs/deployments.md").text);
    let template = blocks.iter().find(|block| block["kind"] == "AnalysisTemplate").unwrap();
    assert_eq!(template["apiVersion"], "argoproj.io/v1alpha1");
    let args: BTreeSet<_> =
        template["spec"]["args"].as_array().unwrap().iter().map(|arg| text(arg, "/name")).collect();
    let metrics = template["spec"]["metrics"].as_array().unwrap();
    assert_eq!(metrics.len(), 3);
    let verdicts = document["components"]["schemas"]["GateVerdict"]["enum"].as_array().unwrap().iter();
    let verdicts: BTreeSet<_> = verdicts.map(|word| word.as_str().unwrap()).collect();
    assert_eq!(verdicts, BTreeSet::from(["pass", "fail", "wait"]));
    for metric in metrics {
        let web = &metric["provider"]["web"];
        let written = serde_json::to_string(metric).unwrap();
        for used in written.split("{{args.").skip(1).filter_map(|rest| rest.split_once("}}")) {
            assert!(args.contains(used.0), "{written}");
        }
        let (path, query) = text(web, "/url")
            .strip_prefix("https://dead-letter.example.com")
            .map(|path| path.split_once('?').unwrap_or((path, "")))
            .unwrap();
        let member = text(web, "/jsonPath").trim_start_matches("{$.").trim_end_matches('}');
        let schema = if web["method"] == "POST" { "Deployment" } else { "Gate" };
        assert!(document["components"]["schemas"][schema]["properties"][member].is_object(), "{written}");
        if web["method"] == "POST" {
            let known = &document["components"]["schemas"]["DeploymentRequest"]["properties"];
            assert!(
                web["jsonBody"].as_object().unwrap().keys().all(|key| known[key].is_object()),
                "{written}"
            );
            continue;
        }
        let known = parameters(&document, path);
        for (name, _) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            assert!(known.contains(name), "{name} is no parameter of {path}");
        }
        for condition in ["/successCondition", "/failureCondition"] {
            let word = text(metric, condition).split('"').nth(1).unwrap();
            assert!(verdicts.contains(word), "{word} is no verdict");
        }
    }
    // What runs as an analysis step gives all that the template has no value for.
    let steps = blocks.iter().find_map(|block| block.pointer("/strategy/canary/steps")).unwrap();
    let given =
        steps[1].pointer("/analysis/args").unwrap().as_array().unwrap().iter().map(|arg| text(arg, "/name"));
    let given: BTreeSet<_> = given.chain(["token"]).collect();
    assert_eq!(given, args);
}

#[test]
fn every_example_is_yaml_and_the_gate_is_asked_with_parameters_that_it_has() {
    let document: Value = serde_json::from_str(&Page::read("openapi/openapi.json").text).unwrap();
    let page = Page::read("docs/deployments.md").text;
    assert!(blocks(&page).len() >= 5);
    let known = parameters(&document, "/gate");
    let listed: BTreeSet<_> = page
        .lines()
        .skip_while(|line| !line.starts_with("| parameter |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned()))
        .collect();
    let required = ["service", "version"].map(str::to_owned).into();
    assert_eq!(known, &listed | &required);
    let asked = page.split("/gate?").skip(1).filter_map(|rest| rest.split('"').next());
    for (name, _) in asked.flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('=')) {
        assert!(known.contains(name), "{name}");
    }
}
