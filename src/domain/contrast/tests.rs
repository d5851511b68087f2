use chrono::{DateTime, TimeDelta};
use serde_json::{Value as Json, json};

use super::*;
use crate::domain::attribute::{Columns, Letter};
use crate::domain::message::{Properties, Table, Value};
use crate::domain::wire;

/// Numbers that look like chance, the same in each run.
fn chance(row: usize, salt: usize, of: usize) -> usize {
    let mixed = (row as u64 * 31 + salt as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).unwrap() % of
}

/// A dead letter with a lot that says nothing, and what is planted.
fn letter(row: usize, headers: &[(&str, Value)], body: &Json) -> Letter {
    let pick = |salt, list: &[&str]| list[chance(row, salt, list.len())].to_owned();
    let mut table = vec![
        (b"tenant".to_vec(), Value::text(pick(1, &["acme", "globex", "initech", "umbrella"]))),
        (b"request-id".to_vec(), Value::text(format!("r-{row}"))),
    ];
    table.extend(headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.clone())));
    let mut whole = json!({"id": chance(row, 8, 1_000_000), "currency": pick(2, &["DKK", "EUR"]), "amount": chance(row, 3, 10_000)});
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let properties =
        Properties { headers: Some(Table(table)), app_id: Some(b"shop".to_vec()), ..Properties::default() };
    let died = DateTime::UNIX_EPOCH + TimeDelta::minutes(i64::try_from(chance(row, 4, 60_000)).unwrap());
    let columns = Columns {
        message_type: Some(pick(5, &["OrderPlaced", "OrderPaid"])),
        routing_key: Some("order".into()),
        died_at: Some(died),
        deaths: 1,
        error_type: Some("PaymentDeclined".into()),
        error_message: Some(format!("card {row} was declined")),
        ..Columns::default()
    };
    Letter {
        columns,
        properties: Some(wire::encode(&properties).unwrap()),
        body: Some(whole.to_string().into_bytes()),
    }
}

/// What is told of so many inside and outside, where each dead letter is made by its number and its side.
fn told(inside: usize, outside: usize, make: impl Fn(usize, bool) -> Letter) -> Vec<String> {
    let mut sample = Sample::default();
    for row in 0..inside + outside {
        let is_inside = row < inside;
        sample.add(if is_inside { Side::Inside } else { Side::Outside }, &make(row, is_inside));
    }
    contrast(&sample).iter().map(shown).collect()
}

fn shown(distinction: &Distinction) -> String {
    let one = |condition: &Condition| {
        let Condition { attribute, test } = condition;
        let name = [attribute.kind.as_str(), &attribute.name].join(" ");
        format!("{} {test:?}", name.trim_end())
    };
    let all = |conditions: &[Condition]| conditions.iter().map(one).collect::<Vec<_>>().join(" and ");
    match &*distinction.together {
        [] => all(&distinction.conditions),
        together => format!("{} ({})", all(&distinction.conditions), all(together)),
    }
}

#[test]
fn where_all_is_chance_nothing_is_told() {
    for (inside, outside) in [(500, 500), (40, 500), (5, 500), (3, 3), (500, 5)] {
        let told = told(inside, outside, |row, _| letter(row, &[], &json!({})));
        assert!(told.is_empty(), "{inside} {outside}: {told:?}");
    }
}

#[test]
fn a_cause_is_found_under_noise() {
    let released = |row: usize, is_inside: bool| {
        let share = if is_inside { 85 } else { 10 };
        let release = if chance(row, 9, 100) < share { "42" } else { "41" };
        letter(row, &[("release", Value::text(release))], &json!({}))
    };
    assert_eq!(told(200, 800, released)[0], r#"header release Is("42")"#);
}

#[test]
fn what_holds_for_the_same_dead_letters_is_told_together() {
    let abroad = |row, is_inside| {
        let body = if is_inside { json!({"address": {"zip": "x", "state": "y"}}) } else { json!({}) };
        letter(row, &[], &body)
    };
    let told = told(50, 200, abroad);
    assert_eq!(told.len(), 1, "{told:?}");
    let expected = r#"body address.state Is("y") (body address.zip Is("x") and body address Present)"#;
    assert_eq!(told[0], expected);
}

#[test]
fn each_kind_of_condition_is_found() {
    let missing = |row, is_inside: bool| {
        let headers = [("trace", Value::text("on"))];
        letter(row, if is_inside { &[] } else { &headers }, &json!({}))
    };
    assert_eq!(told(100, 300, missing)[0], "header trace Missing");
    let large = |row, is_inside: bool| {
        let weight = chance(row, 9, 1000) + if is_inside { 900 } else { 0 };
        letter(row, &[], &json!({"lines": [{"weight": weight}, {"weight": 5}]}))
    };
    let found = told(100, 300, large);
    assert!(found[0].starts_with("body lines.*.weight Between(Some("), "{found:?}");
    let foreign = |row, is_inside: bool| {
        let country = if is_inside { format!("C{}", chance(row, 9, 90)) } else { "DK".into() };
        letter(row, &[("country", Value::text(country))], &json!({}))
    };
    assert_eq!(told(100, 300, foreign)[0], r#"header country IsNot("DK")"#);
}

#[test]
fn two_conditions_at_once_beat_either() {
    let both = |row: usize, is_inside: bool| {
        // Outside, each occurs in half of the dead letters, and never both.
        let (vip, abroad) = match chance(row, 9, 2) {
            _ if is_inside => (true, true),
            0 => (true, false),
            _ => (false, true),
        };
        letter(row, &[("vip", Value::Bool(vip))], &json!({"abroad": abroad}))
    };
    let told = told(200, 400, both);
    assert!(told[0].contains("header vip") && told[0].contains("body abroad"), "{told:?}");
    assert!(told[0].contains(" and "), "{told:?}");
}

#[test]
fn what_repeats_the_error_is_no_cause() {
    let repeated = |row, is_inside: bool| {
        let error = if is_inside { "PaymentDeclined" } else { "other" };
        let stack = if is_inside { format!("at x: card {row} was declined") } else { "none".into() };
        letter(
            row,
            &[("exception", Value::text(error)), ("x-exception-message", Value::text("a"))],
            &json!({"stack": stack}),
        )
    };
    let told = told(50, 100, repeated);
    // The headers are still missing inside, as their values are not read there.
    assert!(told.iter().all(|told| !told.contains("PaymentDeclined")), "{told:?}");
}

#[test]
fn without_anything_to_compare_with_the_common_is_told() {
    let told = told(50, 0, |row, _| letter(row, &[("release", Value::text("42"))], &json!({})));
    let common = told.join("; ");
    assert!(common.contains(r#"header release Is("42")"#), "{common}");
    assert!(!common.contains("currency") && !common.contains("request-id"), "{common}");
}
