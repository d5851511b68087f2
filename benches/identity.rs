//! What is read out of a dead letter on its way in, what tells it apart, its row as `COPY` takes it, and the cursor of a page.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dead_letter::domain::cursor::{Cursor, SearchHash};
use dead_letter::domain::filter::Order;
use dead_letter::domain::message::{Message, Properties, Table, Value};
use dead_letter::domain::service::{DEFAULT_RULE, ServiceRule};
use dead_letter::domain::{convention, fingerprint, identity};
use dead_letter::ingest::{Decoder, decode};
use dead_letter::{clock, store};

/// As a broker dead-letters a message of an instrumented service that tells why it failed.
fn message(body: usize) -> Message {
    let table = |entries: Vec<(&str, Value)>| {
        Table(entries.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect())
    };
    let death = table(vec![
        ("count", Value::I64(1)),
        ("exchange", Value::text("orders")),
        ("queue", Value::text("orders_webshop")),
        ("reason", Value::text("rejected")),
        ("routing-keys", Value::Array(vec![Value::text("order.placed")])),
        ("time", Value::Timestamp(1_795_392_000)),
    ]);
    let headers = table(vec![
        ("attempt", Value::I32(3)),
        ("dead-letter-error-message", Value::text("order 4711 can't be found in 'eu-1' after 3 attempts")),
        ("dead-letter-error-type", Value::text("Timeout")),
        ("tenant", Value::text("dk")),
        ("traceparent", Value::text("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
        ("x-death", Value::Array(vec![Value::Table(death)])),
        ("x-first-death-exchange", Value::text("orders")),
        ("x-first-death-queue", Value::text("orders_webshop")),
        ("x-first-death-reason", Value::text("rejected")),
        ("x-last-death-exchange", Value::text("orders")),
        ("x-last-death-queue", Value::text("orders_webshop")),
        ("x-last-death-reason", Value::text("rejected")),
    ]);
    Message {
        exchange: "dead-letter".into(),
        routing_key: "order.placed".into(),
        properties: Properties {
            content_type: Some(b"application/json".to_vec()),
            headers: Some(headers),
            delivery_mode: Some(2),
            message_id: Some(b"0198a3c2-7d4e-7c11-9b1f-2f6d0c9a4e57".to_vec()),
            ..Properties::default()
        },
        body: vec![b'x'; body],
    }
}

fn read(criterion: &mut Criterion) {
    let message = message(1024);
    let read = convention::recognise(&message);
    let mut group = criterion.benchmark_group("derived");
    group.throughput(Throughput::Elements(1));
    group.bench_function("recognise", |bencher| bencher.iter(|| convention::recognise(black_box(&message))));
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| fingerprint::of("webshop", black_box(&read.failure)));
    });
    let rule = ServiceRule::new(DEFAULT_RULE).expect("valid");
    let decoder = Decoder { vhost: "/", source: "dead-letter", service_rule: &rule };
    group.bench_function("decode", |bencher| {
        // The copy of the message that each decoding takes is not part of it.
        bencher.iter_batched(
            || message.clone(),
            |message| decode(decoder, clock::new_id(), message),
            BatchSize::SmallInput,
        );
    });
    let rows: Vec<_> = (0..500).map(|_| decode(decoder, clock::new_id(), message.clone())).collect();
    group.throughput(Throughput::Elements(500));
    group.bench_function("copy 500", |bencher| bencher.iter(|| store::copy_data(black_box(&rows))));
    group.finish();
}

fn cursors(criterion: &mut Criterion) {
    let search = SearchHash::new("service=webshop&error=timed out", Order::Newest);
    let cursor = Cursor { backwards: false, id: clock::new_id(), search };
    let text = cursor.encode();
    criterion.bench_function("cursor/encode", |bencher| bencher.iter(|| black_box(&cursor).encode()));
    criterion.bench_function("cursor/decode", |bencher| bencher.iter(|| Cursor::decode(black_box(&text))));
}

fn told_apart(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("identity");
    for size in [1024, 64 * 1024] {
        let message = message(size);
        let read = convention::recognise(&message);
        assert!(identity::of("/", "dead-letter", &message, &read).is_some(), "the sample can be told apart");
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &message, |bencher, message| {
            bencher.iter(|| identity::of("/", "dead-letter", black_box(message), black_box(&read)));
        });
    }
    group.finish();
}

criterion_group!(benches, read, told_apart, cursors);
criterion_main!(benches);
