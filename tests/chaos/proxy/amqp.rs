//! Frames of AMQP 0-9-1.

use std::sync::{Mutex, PoisonError};

/// Type, channel and length before, an end mark after.
const AROUND: usize = 8;

/// The name and length of the frame at the beginning, as far as it is there.
pub(super) fn unit(bytes: &[u8], first: bool) -> Option<(String, usize)> {
    if first {
        return Some(("protocol header".into(), 8));
    }
    let length = u32::from_be_bytes(*bytes.get(3..7)?.first_chunk()?) as usize;
    let name = match bytes[0] {
        1 => method(bytes.get(7..11)?),
        2 => "content header".into(),
        3 => "content body".into(),
        8 => "heartbeat".into(),
        other => panic!("a frame of type {other}"),
    };
    Some((name, length + AROUND))
}

fn method(ids: &[u8]) -> String {
    let (class, method) = (u16::from_be_bytes([ids[0], ids[1]]), u16::from_be_bytes([ids[2], ids[3]]));
    let name = match (class, method) {
        (20, 40) => "channel.close",
        (50, 10) => "queue.declare",
        (60, 20) => "basic.consume",
        (60, 21) => "basic.consume-ok",
        (60, 30) => "basic.cancel",
        (60, 31) => "basic.cancel-ok",
        (60, 40) => "basic.publish",
        (60, 50) => "basic.return",
        (60, 60) => "basic.deliver",
        (60, 80) => "basic.ack",
        (60, 120) => "basic.nack",
        _ => return format!("{class}.{method}"),
    };
    name.into()
}

fn frame(channel: [u8; 2], class: u16, method: u16, arguments: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(channel);
    bytes.extend((arguments.len() as u32 + 4).to_be_bytes());
    bytes.extend(class.to_be_bytes());
    bytes.extend(method.to_be_bytes());
    bytes.extend(arguments);
    bytes.push(0xce);
    bytes
}

fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// The broker has waited too long for an acknowledgement, it says on the channel of this frame.
pub fn channel_close(before: &[u8]) -> Vec<u8> {
    let text = "PRECONDITION_FAILED - delivery acknowledgement on channel timed out";
    frame([before[1], before[2]], 20, 40, &[&406_u16.to_be_bytes()[..], &short(text), &[0; 4]].concat())
}

/// A queue has refused what this frame confirms; the confirm that follows is for nothing.
pub fn nack_instead(confirm: &[u8]) -> Vec<u8> {
    let tag: [u8; 8] = *confirm[11..].first_chunk().unwrap();
    frame([confirm[1], confirm[2]], 60, 120, &[&tag[..], &[confirm[19] & 1]].concat())
}

/// The broker runs out of memory.
pub fn connection_blocked(_: &[u8]) -> Vec<u8> {
    frame([0; 2], 10, 60, &short("low on memory"))
}

/// Channel and tag of the consumer that is to be cancelled.
static CONSUMER: Mutex<([u8; 2], Vec<u8>)> = Mutex::new(([0; 2], Vec::new()));

/// Notes whom this delivery is for.
pub fn note_consumer(delivery: &[u8]) -> Vec<u8> {
    let tag = delivery[11..12 + usize::from(delivery[11])].to_vec();
    *CONSUMER.lock().unwrap_or_else(PoisonError::into_inner) = ([delivery[1], delivery[2]], tag);
    Vec::new()
}

/// To the broker: no more for the noted consumer, which knows nothing of this.
pub fn cancel_consumer(_: &[u8]) -> Vec<u8> {
    let (channel, tag) = CONSUMER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    frame(channel, 60, 30, &[&tag[..], &[0]].concat())
}

/// The broker's answer to that, made into news for the client: its consumer was cancelled, and nothing comes after this.
pub fn consumer_cancelled(answer: &[u8]) -> Vec<u8> {
    let tag = &answer[11..12 + usize::from(answer[11])];
    frame([answer[1], answer[2]], 60, 30, &[tag, &[1]].concat())
}

/// It has memory again.
pub fn connection_unblocked(_: &[u8]) -> Vec<u8> {
    frame([0; 2], 10, 61, &[])
}
