//! What a selection is made of.

use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id, text};

/// Twelve orders and three returns of one group, each with a tenant, and a message of another service.
async fn shop() -> World {
    let world = World::start().await;
    for number in 0..15 {
        let (key, kind) =
            if number < 12 { ("order.placed", "OrderPlaced") } else { ("order.sent", "OrderSent") };
        let message =
            DeadMessage::published(("orders", key), &id(), "work_shop").error("Declined", "declined");
        let tenant = if number % 5 == 0 { "globex" } else { "acme" };
        let message = message.properties(|properties| {
            properties.with_type(kind.into()).with_app_id(if number < 4 { "kiosk" } else { "web" }.into())
        });
        let body = json!({"lines": [{"sku": "a"}, {"sku": format!("s{}", number % 3)}]});
        let headers = message.header("tenant", text(tenant)).header("request", text(&number.to_string()));
        world.publish(headers.body(body.to_string())).await;
    }
    world.publish(DeadMessage::new(&id(), "work_mail").error("Bounced", "bounced")).await;
    world.until_stored(16).await;
    world
}

fn values(answer: &Value, by: &str) -> Vec<(String, i64)> {
    let facets = answer["facets"].as_array().unwrap();
    let facet = facets.iter().find(|facet| facet["by"] == by).unwrap_or_else(|| panic!("{by} in {answer}"));
    let values = facet["values"].as_array().unwrap().iter();
    values.map(|one| (one["value"].as_str().unwrap().to_owned(), one["count"].as_i64().unwrap())).collect()
}

fn pairs(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_is_broken_down_and_each_value_is_a_filter() {
    let world = shop().await;
    let ask =
        async |query: &str| world.api().get(&format!("/dead-letters/facets?{query}")).await.assert(200).json;
    let all = ask("service=shop").await;
    assert_eq!(all["sample"]["choice"], "all");
    assert_eq!((&all["sample"]["messages"], &all["sample"]["total"]["value"]), (&json!(15), &json!(15)));
    assert_eq!(values(&all, "type"), pairs(&[("OrderPlaced", 12), ("OrderSent", 3)]));
    assert_eq!(values(&all, "routingKey"), pairs(&[("order.placed", 12), ("order.sent", 3)]));
    assert_eq!(values(&all, "queue"), pairs(&[("work_shop", 15)]));
    let groups = all["facets"].as_array().unwrap().iter().find(|facet| facet["by"] == "errorGroup").unwrap();
    assert_eq!(groups["values"][0]["label"], "Declined");
    assert!(!all.to_string().contains("tenant"), "headers are told on demand: {all}");

    let read = ask("service=shop&by=header&by=appId&by=body").await;
    assert_eq!(values(&read, "header"), pairs(&[("acme", 12), ("globex", 3)]), "ids are left out");
    assert_eq!(values(&read, "appId"), pairs(&[("web", 11), ("kiosk", 4)]));
    assert_eq!(values(&read, "body"), pairs(&[("a", 15), ("s0", 5), ("s1", 5), ("s2", 5)]));

    let total = async |query: &str| {
        let answer = world.api().get(&format!("/dead-letters?{query}")).await.assert(200).json;
        answer["total"]["value"].as_i64().unwrap()
    };
    for (query, count) in [
        ("type=OrderSent", 3),
        ("header.tenant=globex", 3),
        ("appId=kiosk", 4),
        ("appId=kiosk&header.tenant=globex", 1),
        ("appId=web&userId=web", 0),
        ("body.lines.*.sku=s1", 5),
    ] {
        assert_eq!(total(query).await, count, "{query}");
        assert_eq!(ask(query).await["sample"]["messages"], count, "{query}");
    }
    let hour = values(&all, "hour").remove(0);
    let end = hour.0.replace(":00:00Z", ":59:59.999Z");
    assert_eq!(total(&format!("service=shop&diedFrom={}&diedTo={end}", hour.0)).await, hour.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_refused() {
    let world = World::start().await;
    for (query, part) in [("by=colour", "must be one of type, routingKey"), ("limit=0", "from 1 to 100")] {
        let answer = world.api().get(&format!("/dead-letters/facets?{query}")).await.assert(400).json;
        assert!(answer["detail"].as_str().unwrap().contains(part), "{answer}");
    }
}
