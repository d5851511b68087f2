//! Whatever bytes stand where properties should: they are read, or refused with a place, and what was read comes out again.
#![no_main]

use dead_letter::amqp::Received;
use dead_letter::domain::json;
use dead_letter::domain::wire;
use dead_letter_fuzz::examine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|wire: &[u8]| {
    let received = Received::read("exchange".into(), "key".into(), wire.to_vec(), b"body".to_vec());
    assert_eq!(received.properties, wire, "the bytes are the truth");
    if let Ok(properties) = wire::decode(wire) {
        let written = wire::encode(&properties).expect("what was read can be written");
        assert_eq!(written.len(), wire.len());
        let again = wire::decode(&written).expect("what was written can be read");
        assert_eq!(wire::encode(&again).expect("and so on"), written);
        let headers = properties.headers.unwrap_or_default();
        assert!(serde_json::to_string(&json::plain(&headers)).is_ok());
        assert!(serde_json::to_string(&json::typed(&headers)).is_ok());
    }
    examine(received);
});
