//! The page of the API, and its document.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::World;

/// The Swagger page comes from inside the binary, and the document is the committed one.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_document_are_served() {
    let world = World::start().await;
    let page = world.api().get("/swagger/").await.assert(200);
    let page = String::from_utf8(page.bytes).unwrap();
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("https://"), "nothing is loaded from elsewhere: {page}");
    world.api().get("/swagger").await.assert(200);
    let served = world.api().get("/openapi.json").await.assert(200).json;
    let committed: Value = serde_json::from_str(include_str!("../../openapi/openapi.json")).unwrap();
    assert!(served == committed, "run `make openapi`");
    assert_references_resolve(&committed, &committed);
    let routes: HashSet<&String> = committed["paths"].as_object().unwrap().keys().collect();
    for route in [
        "/dead-letters",
        "/dead-letters/{id}",
        "/dead-letters/{id}/body",
        "/dead-letters/redeliver",
        "/dead-letters/squad-overview",
        "/dead-letters/service-overview",
        "/operations",
        "/operations/{id}",
        "/operations/{id}/items",
    ] {
        assert!(routes.contains(&route.to_owned()), "{route}");
    }
}

/// Every `$ref` of the document leads somewhere.
fn assert_references_resolve(document: &Value, part: &Value) {
    if let Some(reference) = part["$ref"].as_str() {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
    let members: Vec<&Value> = match part {
        Value::Object(members) => members.values().collect(),
        Value::Array(members) => members.iter().collect(),
        _ => Vec::new(),
    };
    for member in members {
        assert_references_resolve(document, member);
    }
}
