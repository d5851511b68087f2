//! Several virtual hosts and brokers: dead letters know where they died, and go back there or stay.

use std::io::Write;

use serde_json::{Value, json};

use crate::cli::client_of;
use crate::support::{Broker, Database, DeadMessage, Servers, Service, id, until, until_eq};

/// The name of a work queue that is in every place.
const TWIN: &str = "shop_orders";

/// A place with the queue that dead letters come from, and the work queue of which there is one in each.
struct Shop {
    broker: Broker,
    source: crate::support::TestQueue,
    queue: crate::support::TestQueue,
}

impl Shop {
    async fn open(url: &str, work_queue: &str) -> Self {
        let broker = Broker::on(url).await;
        let source = broker.declare_source(&[]).await;
        let queue = broker.declare_work_queue(work_queue, &source.name).await;
        Self { broker, source, queue }
    }

    /// Has messages die of these ids, with the same body.
    async fn fail(&self, ids: &[String]) {
        for id in ids {
            self.broker.publish("", &self.queue.name, &DeadMessage::plain().id(id)).await;
            self.broker.reject_next(&self.queue.name).await;
        }
    }

    async fn depth(&self) -> u32 {
        self.broker.depth(&self.queue.name).await
    }
}

/// Nobody waits to see what comes back.
const AT_ONCE: (&str, &str) = ("DEAD_LETTER_WATCH_RETURNS", "0s");

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|_| id()).collect()
}

/// The URL of another virtual host of the same broker.
fn vhost_url(url: &str, vhost: &str) -> String {
    format!("{}/{vhost}", url.rsplit_once('/').unwrap().0)
}

fn add_vhost(servers: &Servers, vhost: &str) -> String {
    servers.ctl(&["add_vhost", vhost]);
    servers.ctl(&["set_permissions", "-p", vhost, "guest", ".*", ".*", ".*"]);
    vhost_url(&servers.amqp_url, vhost)
}

async fn until_stored(database: &Database, count: i64) {
    until_eq("dead letters stored", count, || database.count("dead_letter")).await;
}

async fn operation(api: &crate::support::Api, id: &Value) -> Value {
    api.get(&format!("/operations/{}", id.as_str().unwrap())).await.assert(200).json
}

/// Two services on one database, each in a virtual host of its own: neither puts a message into the other's queue of the same name.
#[tokio::test(flavor = "multi_thread")]
async fn two_services_on_one_database_put_each_message_back_where_it_died() {
    let servers = Servers::start("places").await;
    let database = Database::on(&servers.database_url).await;
    let (here_url, there_url) = (add_vhost(&servers, "here"), add_vhost(&servers, "there"));
    let (here, there) = (Shop::open(&here_url, TWIN).await, Shop::open(&there_url, TWIN).await);
    let serve =
        |shop: &Shop| Service::start(&database.url, &shop.broker.served_url(), &shop.source.name, &[AT_ONCE]);
    let service = serve(&here);
    service.until_ready().await;
    let other = serve(&there);
    other.until_ready().await;
    let (mine, theirs) = (ids(20), ids(20));
    here.fail(&mine).await;
    there.fail(&theirs).await;
    until_stored(&database, 40).await;

    // The same queue of the same service, and the same error: two groups, as what mends one place does not mend the other.
    let groups = service.api.get("/dead-letters/error-groups?service=orders").await.assert(200).json;
    assert_eq!((&groups["total"], &groups["messages"]), (&json!(2), &json!(40)), "{groups}");
    let found = service.api.all("vhost=there&broker=default", 50).await;
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|letter| letter["vhost"] == "there" && letter["broker"] == "default"));

    // Asked for at the service that is not there.
    let body = json!({"filter": {"vhost": "there"}});
    let done = service.api.post("/dead-letters/redeliver?wait=30", &body).await.assert(200).json;
    assert_eq!(done["outcomes"]["sent"], 20, "{done}");
    assert_eq!((here.depth().await, there.depth().await), (0, 20));

    // One operation for both places, with an exchange that both have.
    let all = json!({"filter": {}, "all": true, "to": {"exchange": "", "routingKey": TWIN}});
    let done = other.api.post("/dead-letters/redeliver?wait=30", &all).await.assert(200).json;
    assert_eq!(done["outcomes"]["sent"], 20, "{done}");
    assert_eq!((here.depth().await, there.depth().await), (20, 20));
    database.assert_counters_exact().await;
}

/// Nobody is connected to where it died: it stays, and the operation says why, until a service comes that is.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_place_that_nobody_serves_waits_and_says_so() {
    let servers = Servers::start("nobody").await;
    let database = Database::on(&servers.database_url).await;
    let (here_url, there_url) = (add_vhost(&servers, "here"), add_vhost(&servers, "there"));
    let (here, there) = (Shop::open(&here_url, TWIN).await, Shop::open(&there_url, TWIN).await);
    let service = Service::start(&database.url, &here.broker.served_url(), &here.source.name, &[AT_ONCE]);
    service.until_ready().await;
    let mut other = Service::start(&database.url, &there.broker.served_url(), &there.source.name, &[AT_ONCE]);
    other.until_ready().await;
    there.fail(&ids(5)).await;
    here.fail(&ids(5)).await;
    until_stored(&database, 10).await;
    other.kill();
    sqlx::query("UPDATE served_place SET seen_at = now() - interval '1 hour' WHERE vhost = 'there'")
        .execute(&database.pool)
        .await
        .unwrap();

    let asked = service
        .api
        .post("/dead-letters/redeliver", &json!({"filter": {}, "all": true}))
        .await
        .assert(202)
        .json;
    let waiting = until("it waits for the other place", || async {
        let operation = operation(&service.api, &asked["id"]).await;
        operation["lastError"]
            .as_str()?
            .contains("no service is connected to broker default, virtual host there")
            .then_some(operation)
    })
    .await;
    assert_eq!(waiting["outcomes"]["sent"], 5, "what died here has gone: {waiting}");
    assert_eq!((here.depth().await, there.depth().await), (5, 0));
    let plan = json!({"kind": "redeliver", "filter": {"vhost": "there"}});
    let plan = service.api.post("/operations/plan", &plan).await.assert(201).json;
    let warnings = plan["warnings"].as_array().unwrap();
    assert!(
        warnings.iter().any(|warning| warning["code"] == "other_place" && warning["count"] == 5),
        "{plan}"
    );
    assert!(warnings.iter().all(|warning| warning["code"] != "queue_missing"), "{plan}");

    other.restart();
    until("the rest goes", || async {
        (operation(&service.api, &asked["id"]).await["state"] == "completed").then_some(())
    })
    .await;
    assert_eq!((here.depth().await, there.depth().await), (5, 5));
    database.assert_counters_exact().await;
}

/// One service, two virtual hosts of one broker and another broker, with queues of the same names and messages of the same ids.
#[tokio::test(flavor = "multi_thread")]
async fn one_service_consumes_several_virtual_hosts_and_brokers() {
    let servers = Servers::start("several").await;
    let database = Database::on(&servers.database_url).await;
    let twin = format!("twin-{}_orders", id());
    let here = Shop::open(&add_vhost(&servers, "here"), &twin).await;
    let there = Shop::open(&add_vhost(&servers, "there"), &twin).await;
    let far = Shop::open(&Broker::shared().await.url, &twin).await;
    // The broker `far` was another one before.
    database.store().migrate().await.unwrap();
    let before = "INSERT INTO known_broker (name, cluster) VALUES ('far', 'rabbit@elsewhere')";
    sqlx::query(before).execute(&database.pool).await.unwrap();
    let url = file(&far.broker.url);
    let brokers = file(&format!(
        "brokers:\n  - name: near\n    url: {}\n    vhosts:\n      - {{vhost: here, sources: [{}]}}\n      \
         - {{vhost: there, sources: [{}]}}\n  - name: far\n    urlFile: {}\n    sources: [{}]\n",
        servers.amqp_url,
        here.source.name,
        there.source.name,
        url.path().display(),
        far.source.name
    ));
    let settings = [("DEAD_LETTER_BROKERS_FILE", brokers.path().to_str().unwrap()), AT_ONCE];
    let service = Service::start(&database.url, "amqp://nowhere", "", &settings);
    service.until_ready().await;
    let twins = ids(3);
    for shop in [&here, &there, &far] {
        shop.fail(&twins).await;
    }
    until_stored(&database, 9).await;

    let ready = service.admin.get("/health/ready").await.assert(200).json;
    let sources = ready["sources"].as_array().unwrap();
    let places: Vec<_> =
        sources.iter().map(|source| (source["broker"].as_str(), source["vhost"].as_str())).collect();
    assert_eq!(
        places,
        [(Some("near"), Some("here")), (Some("near"), Some("there")), (Some("far"), Some("/"))]
    );
    let warnings = sources[2]["warnings"].to_string();
    assert!(warnings.contains("rabbit@elsewhere") && warnings.contains("broker far"), "{warnings}");
    assert!(!sources[0]["warnings"].to_string().contains("cluster"), "{ready}");
    let ingested = format!(
        "dead_letter_ingested_total{{broker=\"near\",source=\"{}\",vhost=\"there\"}}",
        there.source.name
    );
    until_eq("it is counted by place", 3, || async { service.metric(&ingested).await as i64 }).await;

    for (query, count) in
        [("broker=near", 6), ("vhost=here", 3), ("broker=far&vhost=/", 3), ("broker=far&vhost=here", 0)]
    {
        assert_eq!(service.api.all(query, 50).await.len(), count, "{query}");
        let overview =
            service.api.get(&format!("/dead-letters/service-overview?{query}")).await.assert(200).json;
        let counted =
            overview.as_array().unwrap().iter().map(|row| row["count"].as_i64().unwrap()).sum::<i64>();
        assert_eq!(counted, count as i64, "{query}: {overview}");
    }
    let plan = json!({"kind": "redeliver", "filter": {}, "all": true});
    let plan = service.api.post("/operations/plan", &plan).await.assert(201).json;
    let mut queues: Vec<_> = plan["queues"].as_array().unwrap().iter().map(ToString::to_string).collect();
    queues.sort();
    let queue = |broker: &str, vhost: &str| {
        json!({"value": twin, "broker": broker, "vhost": vhost, "count": 3}).to_string()
    };
    assert_eq!(queues, [queue("far", "/"), queue("near", "here"), queue("near", "there")]);
    let codes: Vec<_> = plan["warnings"].as_array().unwrap().iter().map(|warning| &warning["code"]).collect();
    assert!(!codes.contains(&&json!("other_place")) && !codes.contains(&&json!("queue_missing")), "{plan}");
    let said = client_of(&service.api, &["plan", "--all"]).await.assert(0).out;
    for place in ["near, here", "near, there", "far, /"] {
        assert!(said.contains(&format!("{twin} ({place}) 3")), "{place}: {said}");
    }

    for (filter, depths) in [
        (json!({"vhost": "there"}), (0, 3, 0)),
        (json!({"broker": "far"}), (0, 3, 3)),
        (json!({"service": "orders"}), (3, 3, 3)),
    ] {
        let done = service
            .api
            .post("/dead-letters/redeliver?wait=30", &json!({"filter": filter}))
            .await
            .assert(200)
            .json;
        assert_eq!(done["outcomes"]["sent"], 3, "{done}");
        assert_eq!((here.depth().await, there.depth().await, far.depth().await), depths, "{filter}");
    }
    database.assert_counters_exact().await;
}

/// A brokers file that is not right ends the start with what to do, and without the password.
#[tokio::test]
async fn a_brokers_file_that_is_not_right_says_where() {
    for (text, part) in [
        ("brokers:\n  - name: a\n    url: amqp://u:secret@h\n    vhost: b\n", "vhost"),
        ("brokers:\n  - name: a\n    urls: [amqp://u:secret@h, 'amqp:secret']\n", "brokers[0] (a): URL 2"),
        ("brokers:\n  - amqp://u:secret@h\n", "line 2"),
    ] {
        let brokers = file(text);
        let serve = std::process::Command::new(env!("CARGO_BIN_EXE_dead-letter"))
            .arg("serve")
            .env("DEAD_LETTER_BROKERS_FILE", brokers.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&serve.stderr).into_owned();
        assert!(!serve.status.success() && said.contains(part) && said.contains("brokers file"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
