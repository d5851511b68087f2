//! What the properties of a dead letter cost: written to the bytes that are stored, and read from them.

mod sample;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dead_letter::domain::json;
use dead_letter::domain::wire;

fn both_ways(criterion: &mut Criterion) {
    let properties = sample::properties();
    let bytes = wire::encode(&properties).expect("the sample fits");
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode", |bencher| bencher.iter(|| wire::encode(black_box(&properties))));
    group.bench_function("decode", |bencher| bencher.iter(|| wire::decode(black_box(&bytes))));
    group.finish();
}

fn views(criterion: &mut Criterion) {
    let headers = sample::properties().headers.unwrap_or_default();
    let mut group = criterion.benchmark_group("headers as JSON");
    group.throughput(Throughput::Elements(1));
    group.bench_function("plain", |bencher| {
        bencher.iter(|| serde_json::to_string(&json::plain(black_box(&headers))));
    });
    group.bench_function("typed", |bencher| {
        bencher.iter(|| serde_json::to_string(&json::typed(black_box(&headers))));
    });
    group.finish();
}

criterion_group!(benches, both_ways, views);
criterion_main!(benches);
