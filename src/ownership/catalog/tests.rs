//! Catalogs, good and odd, that answer over a real socket, and what is decided from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::claims::{ANNOTATION, Claims, Entity};
use super::decision::{Decision, Holder, decide};
use super::fetch::Reader;
use super::snapshot::next;
use super::*;
use crate::ownership::{Owners, Ownership, Rules};

/// What a catalog answers, page by page, and what it was asked.
#[derive(Clone, Default)]
struct Pages {
    pages: Arc<Vec<Value>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(pages): State<Pages>, uri: OriginalUri, headers: HeaderMap) -> impl IntoResponse {
    if headers.get(header::AUTHORIZATION).is_none_or(|token| token != "Bearer secret") {
        return (StatusCode::UNAUTHORIZED, Json(Value::Null));
    }
    let mut asked = pages.asked.lock().unwrap();
    asked.push(uri.to_string());
    (StatusCode::OK, Json(pages.pages[(asked.len() - 1) % pages.pages.len()].clone()))
}

async fn catalog(pages: &[Value]) -> (CatalogSettings, Pages) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pages = Pages { pages: Arc::new(pages.to_vec()), ..Pages::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new()
        .route("/api/catalog/entities/by-query", axum::routing::get(answer))
        .with_state(pages.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = CatalogSettings {
        url,
        token: TokenSource::Given("secret".into()),
        interval: Duration::from_secs(1),
        namespaces: vec!["default".into(), "Bank".into()],
        takeover_delay: TimeDelta::days(1),
        tls: Tls::default(),
    };
    (settings, pages)
}

async fn read(pages: &[Value]) -> anyhow::Result<Claims> {
    let (settings, _) = catalog(pages).await;
    Reader::new(&settings).unwrap().claims().await
}

fn component(name: &str, more: Value) -> Value {
    let mut entity =
        json!({"kind": "Component", "metadata": {"name": name, "namespace": "default", "uid": name}});
    let Value::Object(more) = more else { panic!("{more}") };
    for (key, value) in more {
        match (entity[&key].as_object_mut(), value) {
            (Some(there), Value::Object(value)) => there.extend(value),
            (_, value) => entity[key] = value,
        }
    }
    entity
}

fn owned_by(owner: &str) -> Value {
    json!({"relations": [{"type": "partOf", "targetRef": "system:default/x"}, {"type": "ownedBy", "targetRef": owner}]})
}

/// What each service is claimed for.
fn squads(claims: &Claims) -> Vec<(&str, Vec<Option<&str>>)> {
    claims
        .iter()
        .map(|(service, of)| (service.as_str(), of.iter().map(|claim| claim.squad.as_deref()).collect()))
        .collect()
}

#[tokio::test]
async fn components_claim_services_for_the_groups_that_own_them() {
    let named = |service: Value| json!({"metadata": {"annotations": {"dead-letter/service-name": service}}});
    let of = |namespace: &str| json!({"metadata": {"namespace": namespace}, "spec": {"owner": "x"}});
    let group = owned_by("group:default/squad-nasa");
    let merged = |mut one: Value, other: Value| {
        one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        one
    };
    let claims = read(&[json!({"items": [
        component("plain", group.clone()),
        component("other", merged(named(json!("Other_Name")), group.clone())),
        component("several", merged(named(json!("one, two")), group.clone())),
        component("foreign", owned_by("Group:Bank/loans")),
        component("of-a-user", owned_by("user:default/jane")),
        component("of-two", json!({"relations": [
            {"type": "ownedBy", "targetRef": "group:default/a"}, {"type": "ownedBy", "targetRef": "group:default/b"}]})),
        component("by-spec", json!({"spec": {"owner": "Loans"}})),
        component("by-spec-ref", json!({"spec": {"owner": "group:bank/loans"}})),
        component("by-spec-user", json!({"spec": {"owner": "user:jane"}})),
        component("without", json!({})),
        component("nobodys", owned_by("group:default/unowned")),
        component("in-bank", of("Bank")),
        // None of these claims anything.
        component("elsewhere", of("sandbox")),
        component("silent", merged(named(json!("")), group.clone())),
        component("numbered", merged(named(json!(7)), group.clone())),
        component("two-lines", merged(named(json!("a\nb")), group.clone())),
        component("long", merged(named(json!("a".repeat(256))), group.clone())),
        merged(component("an-api", group.clone()), json!({"kind": "API"})),
    ]})])
    .await
    .unwrap();
    let expected: &[(&str, &[Option<&str>])] = &[
        ("Other_Name", &[Some("squad-nasa")]),
        ("by-spec", &[Some("loans")]),
        ("by-spec-ref", &[Some("bank/loans")]),
        ("by-spec-user", &[None]),
        ("foreign", &[Some("bank/loans")]),
        ("in-bank", &[Some("bank/x")]),
        ("nobodys", &[None]),
        ("of-a-user", &[None]),
        ("of-two", &[Some("a"), Some("b")]),
        ("one", &[Some("squad-nasa")]),
        ("plain", &[Some("squad-nasa")]),
        ("two", &[Some("squad-nasa")]),
        ("without", &[None]),
    ];
    let found = squads(&claims);
    let found: Vec<_> = found.iter().map(|(service, squads)| (*service, &squads[..])).collect();
    assert_eq!(found, expected);
}

/// The plugin's tests have the same cases.
#[test]
fn a_component_is_the_services_of_its_annotation() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("annotations.json")).unwrap();
    for case in cases {
        let mut entity = component("webshop", json!({}));
        if !case["annotation"].is_null() {
            entity["metadata"]["annotations"] = json!({ANNOTATION: case["annotation"]});
        }
        let entity: Entity = serde_json::from_value(entity).unwrap();
        let expected: BTreeSet<_> =
            case["services"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(entity.services(), expected, "{case}");
    }
}

#[tokio::test]
async fn all_pages_are_read() {
    let page = |name: &str, cursor: Option<&str>| json!({"items": [component(name, owned_by("group:default/a"))], "pageInfo": {"nextCursor": cursor}});
    let (settings, pages) = catalog(&[page("a", Some("1=&")), page("b", Some("2")), page("c", None)]).await;
    let claims = Reader::new(&settings).unwrap().claims().await.unwrap();
    assert_eq!(claims.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    let asked = pages.asked.lock().unwrap().clone();
    let first = "filter=kind%3Dcomponent%2Cmetadata.namespace%3Ddefault&filter=kind%3Dcomponent%2Cmetadata.namespace%3Dbank&";
    assert!(asked[0].contains(first), "{asked:?}");
    assert!(asked[1].contains("?cursor=1%3D%26&fields=kind"), "{asked:?}");
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn odd_answers_are_errors() {
    let one = component("a", owned_by("group:default/a"));
    let cases = [
        ("no components", json!({"items": []}), "no components"),
        ("another document", json!({"entities": [one]}), "did not answer as expected"),
        ("a list", json!([one]), "did not answer as expected"),
        (
            "an entity without a name",
            json!({"items": [one, {"kind": "Component", "metadata": {}}]}),
            "as expected",
        ),
        ("the same page again", json!({"items": [one], "pageInfo": {"nextCursor": "1"}}), "same page"),
        ("a large page", json!({"items": [one], "more": "a".repeat(9 << 20)}), "more than"),
    ];
    for (what, page, says) in cases {
        let error = format!("{:#}", read(&[page]).await.unwrap_err());
        assert!(error.contains(says), "{what}: {error}");
    }
    let (settings, _) = catalog(&[json!({"items": [one]})]).await;
    let with = |token| Reader::new(&CatalogSettings { token, ..settings.clone() }).unwrap();
    let refused = with(TokenSource::Given("guessed".into())).claims().await.unwrap_err();
    assert!(format!("{refused:#}").contains("401"), "{refused:#}");
    let missing = with(TokenSource::File("/nonexistent".into())).claims().await.unwrap_err();
    assert!(format!("{missing:#}").contains("cannot read the catalog's token"), "{missing:#}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let by_file = with(TokenSource::File(file.path().into()));
    assert!(by_file.claims().await.is_err(), "an empty token");
    std::fs::write(&file, "secret\n").unwrap();
    assert!(by_file.claims().await.is_ok(), "a token that has been renewed");
    let plain = CatalogSettings { url: "http://backstage.example".parse().unwrap(), ..settings };
    assert!(format!("{:#}", Reader::new(&plain).unwrap_err()).contains("not encrypted"));
}

fn claim(entity: &str, squad: Option<&str>) -> Claim {
    Claim { entity: entity.into(), uid: entity.into(), squad: squad.map(str::to_owned) }
}

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(hour * 3_600, 0).unwrap()
}

/// What is decided hour by hour, where a takeover takes two hours.
fn decided(hours: &[&[(&str, Option<&str>)]]) -> Vec<Decision> {
    let mut holder: Option<Holder> = None;
    let each = (0..).zip(hours).map(|(hour, claims)| {
        let claims: BTreeSet<_> = claims.iter().map(|(entity, squad)| claim(entity, *squad)).collect();
        let (decision, next) = decide(&claims, holder.take(), at(hour), TimeDelta::hours(2));
        holder = next;
        decision
    });
    each.collect()
}

#[test]
fn claims_that_contradict_each_other_give_a_service_to_nobody() {
    let squad = |name: &str| Decision::Squad(name.into());
    let (a, b) = (Some("a"), Some("b"));
    assert_eq!(decided(&[&[("x", a), ("y", b)]]), [Decision::Contested]);
    assert_eq!(decided(&[&[("x", a), ("y", None)]]), [Decision::Contested]);
    assert_eq!(decided(&[&[("x", a), ("x", b)]]), [Decision::Contested]);
    assert_eq!(decided(&[&[("x", a), ("y", Some("squad-a"))]]), [squad("a")]);
    assert_eq!(decided(&[&[("x", None), ("y", None)]]), [Decision::Nobody]);
    // The owner gets it back as soon as the other claim is gone.
    assert_eq!(
        decided(&[&[("x", a)], &[("x", a), ("y", b)], &[("x", a)]]),
        [squad("a"), Decision::Contested, squad("a")]
    );
}

#[test]
fn another_component_takes_over_after_a_delay() {
    let squad = |name: &str| Decision::Squad(name.into());
    let (x, y): (&[_], &[_]) = (&[("x", Some("a"))], &[("y", Some("b"))]);
    let both: &[_] = &[("x", Some("a")), ("y", Some("b"))];
    let waits = |hour| Decision::Waits(at(hour));
    // It was never anybody's.
    assert_eq!(decided(&[&[], y]), [Decision::Nobody, squad("b")]);
    // It was somebody's.
    assert_eq!(decided(&[x, y, y, y]), [squad("a"), waits(3), waits(3), squad("b")]);
    assert_eq!(decided(&[x, &[], y, y]), [squad("a"), Decision::Nobody, waits(3), squad("b")]);
    assert_eq!(
        decided(&[x, both, y, y, y]),
        [squad("a"), Decision::Contested, waits(4), waits(4), squad("b")]
    );
    // The former component is back.
    assert_eq!(decided(&[x, y, x]), [squad("a"), waits(3), squad("a")]);
    // The same component has another owner; another component has the same.
    assert_eq!(decided(&[x, &[("x", Some("b"))]]), [squad("a"), squad("b")]);
    assert_eq!(decided(&[x, &[("y", Some("squad-a"))], y]), [squad("a"), squad("squad-a"), squad("b")]);
    // Whoever registers the name again is another component.
    let again = Claim { uid: "again".into(), ..claim("x", Some("b")) };
    let (_, holder) = decide(&BTreeSet::from([claim("x", Some("a"))]), None, at(0), TimeDelta::hours(2));
    assert_eq!(
        decide(&BTreeSet::from([again.clone()]), holder.clone(), at(1), TimeDelta::hours(2)).0,
        waits(3)
    );
    assert_eq!(decide(&BTreeSet::from([again]), holder, at(1), TimeDelta::zero()).0, squad("b"));
}

#[test]
fn a_snapshot_forgets_services_that_nobody_holds() {
    let claims = |pairs: &[(&str, &str)]| {
        let each = pairs
            .iter()
            .map(|(service, squad)| ((*service).to_owned(), BTreeSet::from([claim(service, Some(squad))])));
        each.collect::<Claims>()
    };
    let delay = TimeDelta::hours(2);
    let first = next(&BTreeMap::new(), claims(&[("shop", "a"), ("mail", "b")]), at(0), delay);
    let second = next(&first, claims(&[("mail", "b")]), at(1), delay);
    assert_eq!(second.keys().collect::<Vec<_>>(), ["mail", "shop"]);
    let third = next(&second, claims(&[("mail", "b")]), at(3), delay);
    assert_eq!(third.keys().collect::<Vec<_>>(), ["mail"]);
    assert_eq!(first, serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap());
}

#[test]
fn the_file_wins_and_what_is_undecided_is_nobodys() {
    let contested = BTreeSet::from([claim("x", Some("a")), claim("y", Some("b"))]);
    let one = BTreeSet::from([claim("x", Some("a"))]);
    let claims =
        [("shop", contested.clone()), ("card-shop", contested), ("mail", one.clone()), ("card-mail", one)];
    let claims = claims.map(|(service, claims)| (service.to_owned(), claims)).into();
    let services = next(&BTreeMap::new(), claims, at(0), TimeDelta::zero());
    let ownership = Ownership::default();
    let owners = |ownership: &Ownership| -> Vec<(String, String)> {
        let owners: Arc<Owners> = ownership.now();
        ["shop", "card-shop", "mail", "card-mail", "else"]
            .map(|service| (service.to_owned(), format!("{:?}", owners.owner(service))))
            .to_vec()
    };
    let expect = |expected: [&str; 5]| {
        let found: Vec<_> = owners(&ownership).into_iter().map(|(_, owner)| owner).collect();
        assert_eq!(found, expected);
    };
    expect(["Nobody"; 5]);
    let awaited = Catalog::awaited(at(0), Duration::from_mins(1));
    ownership.catalog.replace(Some(awaited.clone()));
    expect(["Undecided"; 5]);
    let snapshot = Some(Snapshot { taken_at: at(0), services });
    ownership.catalog.replace(Some(Catalog { snapshot, ..awaited }));
    expect(["Undecided", "Undecided", r#"Squad("a")"#, r#"Squad("a")"#, "Nobody"]);
    let conflicts = |owners: &Owners| owners.conflicts().map(|c| c.service.to_owned()).collect::<Vec<_>>();
    assert_eq!(conflicts(&ownership.now()), ["card-shop", "shop"]);
    let rules = [("mail", "mailers"), ("card-*", "cards"), ("else", "unowned")];
    ownership.rules.replace(Rules::new(rules.map(|(service, squad)| (service.into(), squad.into()))));
    expect(["Undecided", r#"Squad("cards")"#, r#"Squad("mailers")"#, r#"Squad("cards")"#, "Nobody"]);
    assert_eq!(conflicts(&ownership.now()), ["shop"]);
    let owners = ownership.now();
    let catalog = owners.catalog().unwrap();
    assert!(
        !catalog.is_stale(at(0) + TimeDelta::minutes(5)) && catalog.is_stale(at(0) + TimeDelta::minutes(6))
    );
}
