//! Tests against a real `RabbitMQ` and a real `PostgreSQL`, and the real binary between them.
//!
//! `DATABASE_URL` and `AMQP_URL` say where the servers are (`make test` starts private ones). Each test has a database and
//! queues of its own; those that kill a server start their own.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod access;
mod again;
mod attempts;
mod attribution;
mod audit;
mod backstage;
mod bank;
mod breadcrumb;
mod bytes;
mod callers;
mod catalog;
mod check_config;
mod cli;
mod clients;
mod collector;
mod console;
mod conventions;
mod deployments;
mod distinctions;
mod doctor;
mod document;
mod edit;
mod encryption;
mod expiry;
mod facets;
mod filters;
mod generated;
mod groups;
mod http;
mod identity;
mod ingest;
mod issuer;
mod limits;
mod links;
mod login;
mod notifications;
mod operations;
mod order;
mod origin;
mod outages;
mod permissions;
mod places;
mod plans;
mod reconcile;
mod refusals;
mod retention;
mod returns;
mod roles;
mod routing_key;
mod schema;
mod schemathesis;
mod second_person;
mod secrets;
mod shift_log;
mod sources;
mod squads;
mod steering;
#[expect(dead_code, unused_imports, reason = "shared with the tests of chaos")]
mod support;
mod telemetry;
mod triage;
mod verdicts;
mod waiting;
mod walls;
