//! Plain types and rules, without I/O: what a dead letter is, where it died, why, how it is told apart
//! from its twins, how it is found again, and what it looks like when it is put back.

pub mod body_path;
pub mod bounded;
pub mod canary;
pub mod coding;
pub mod convention;
pub mod cursor;
pub mod dead_letter;
pub mod deadline;
pub mod edit;
pub mod error_group;
pub mod error_search;
pub mod error_text;
pub mod exact;
pub mod filter;
pub mod find;
pub mod fingerprint;
pub mod histogram;
pub mod identity;
pub mod json;
pub mod log_link;
pub mod look;
pub mod message;
pub mod needle;
pub mod operation;
pub mod patch;
pub mod pattern;
pub mod place;
pub mod redelivery;
pub mod service;
pub mod spans;
pub mod top_frame;
pub mod typed;
pub mod verdict;
pub mod words;
pub mod xdeath;
