//! What is read out of a dead letter on its way in, what tells it apart, its row as `COPY` takes it, a search among the
//! templates of error texts, and the cursor of a page.

mod sample;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dead_letter::amqp::Received;
use dead_letter::domain::convention::{Conventions, Decoding};
use dead_letter::domain::cursor::{Cursor, SearchHash};
use dead_letter::domain::filter::Order;
use dead_letter::domain::message::Message;
use dead_letter::domain::place::{Place, Source};
use dead_letter::domain::service::{DEFAULT_RULE, ServiceRule};
use dead_letter::domain::{error_search, error_text, fingerprint, identity};
use dead_letter::ingest::{Decoder, decode};
use dead_letter::{clock, store};

fn message(body: usize) -> Message {
    Message {
        exchange: "dead-letter".into(),
        routing_key: "order.placed".into(),
        properties: sample::properties(),
        body: vec![b'x'; body],
    }
}

fn read(criterion: &mut Criterion) {
    let (message, conventions) = (message(1024), Conventions::default());
    let read = conventions.recognise("source", &message);
    let mut group = criterion.benchmark_group("derived");
    group.throughput(Throughput::Elements(1));
    group.bench_function("recognise", |bencher| {
        bencher.iter(|| conventions.recognise("source", black_box(&message)));
    });
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| fingerprint::of("webshop", black_box(&read.failure)));
    });
    let received = Received::made(message).expect("the sample fits");
    let rule = ServiceRule::new(DEFAULT_RULE).expect("valid");
    let source = Source::at_home("dead-letter", Place::new("default", "/"));
    let decoder =
        Decoder { source: &source, service_rule: &rule, conventions: &conventions, decoding: Decoding::Full };
    group.bench_function("decode", |bencher| {
        // The copy of the message that each decoding takes is not part of it.
        bencher.iter_batched(
            || received.clone(),
            |received| decode(decoder, clock::new_id(), received),
            BatchSize::SmallInput,
        );
    });
    let rows: Vec<_> = (0..500).map(|_| decode(decoder, clock::new_id(), received.clone())).collect();
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

fn searched(criterion: &mut Criterion) {
    let texts = [
        "order {} of customer c-{} is not open, and can't be paid",
        "java.net.SocketTimeoutException: connect to 10.0.{}.{}:5432 timed out after 30000 ms",
        "duplicate key value violates unique constraint \"orders_{}\", key (id)=({}) already exists",
        "Unexpected token '<', in step {} of \"<!DOCTYPE {}\"... is not valid JSON",
    ];
    let templates: Vec<_> = (0..5000)
        .map(|number: usize| {
            // In letters, it is a word of the template.
            let word: String =
                number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'k')).collect();
            let text = texts[number % 4].replacen("{}", &number.to_string(), 1).replace("{}", &word);
            error_text::of(&format!("{word}: {text}")).template
        })
        .collect();
    criterion.bench_function("holds/5000", |bencher| {
        bencher.iter(|| {
            let held =
                templates.iter().map(|template| error_search::holds(template, black_box("order 4711")));
            held.filter(|holds| *holds != error_search::Holds::No).count()
        });
    });
}

fn told_apart(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("identity");
    let source = Source::at_home("dead-letter", Place::new("default", "/"));
    for size in [1024, 64 * 1024] {
        let message = message(size);
        let read = Conventions::default().recognise("source", &message);
        assert!(identity::of(&source, &message, &read).is_some(), "the sample can be told apart");
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_with_input(BenchmarkId::from_parameter(size), &message, |bencher, message| {
            bencher.iter(|| identity::of(&source, black_box(message), black_box(&read)));
        });
    }
    group.finish();
}

criterion_group!(benches, read, told_apart, searched, cursors);
criterion_main!(benches);
