//! Whatever an error's text is: a search for a part of it, in whatever case, is not ruled out by its template and signature.
#![no_main]

use dead_letter::domain::error_search::{Holds, holds};
use dead_letter::domain::{error_text, top_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|any: (u16, u8, bool, &str)| {
    let (begin, length, upper, text) = any;
    let read = error_text::of(text);
    assert!(read.template.chars().count() <= 513, "it is bounded");
    let _ = (error_text::shown(&read.template), top_frame::of(text));

    let part: String = text.chars().skip(begin.into()).take(length.into()).collect();
    let needle = if upper { part.to_ascii_uppercase() } else { part.to_ascii_lowercase() };
    match holds(&read.template, &needle) {
        Holds::No => panic!("{needle:?} in {text:?}"),
        Holds::Always => {}
        Holds::Perhaps(mask) => assert_eq!(read.trigrams & mask, mask, "{needle:?} in {text:?}"),
    }
    // And one that comes from elsewhere.
    let other: String = text.chars().rev().take(usize::from(length) % 4).collect();
    let is_in = text.to_ascii_lowercase().contains(&other.to_ascii_lowercase());
    match holds(&read.template, &other) {
        Holds::No => assert!(!is_in, "{other:?} in {text:?}"),
        Holds::Always => assert!(is_in, "{other:?} in {text:?}"),
        Holds::Perhaps(mask) => assert!(!is_in || read.trigrams & mask == mask, "{other:?} in {text:?}"),
    }
});
