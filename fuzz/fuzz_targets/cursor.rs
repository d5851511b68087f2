//! Whatever a client sends as a cursor: it is one of ours, or none.
#![no_main]

use dead_letter::domain::cursor::Cursor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(cursor) = Cursor::decode(text) {
        assert_eq!(cursor.encode(), text, "there is one text for a cursor");
    }
});
