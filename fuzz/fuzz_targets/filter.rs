//! Whatever a client sends as a filter, in a query or in JSON: it means one thing, or is refused.
#![no_main]

use dead_letter::domain::filter::Filter;
use dead_letter::http::filter::FilterInput;
use dead_letter::http::query::Query;
use libfuzzer_sys::fuzz_target;

/// A filter as it stands in a query, or in JSON where it begins like that. `None` where it is wrong.
fn read_filter(text: &str) -> Option<(FilterInput, Filter)> {
    let input: FilterInput = if text.starts_with('{') {
        serde_json::from_str(text).ok()?
    } else {
        let mut query = Query::parse(text).ok()?;
        let input = query.take().ok()?;
        query.finish().ok()?;
        input
    };
    let filter = input.check().ok()?;
    Some((input, filter))
}

fuzz_target!(|text: &str| {
    let Some((input, filter)) = read_filter(text) else { return };
    // What is kept of an operation is JSON, and must mean the same.
    let kept = serde_json::to_string(&input).expect("it can be written");
    let again = read_filter(&kept).expect("it can be read again");
    assert_eq!((input, &filter), (again.0, &again.1));
    let texts = [
        &filter.queue,
        &filter.exchange,
        &filter.routing_key,
        &filter.message_id,
        &filter.correlation_id,
        &filter.message_type,
        &filter.error,
        &filter.reason,
        &filter.convention,
    ];
    assert!(texts.into_iter().flatten().all(|text| !text.contains('\0')), "the database refuses NUL");
});
