//! Messages that look as the broker dead-letters them, made from a seed: same seed, same messages.

mod body;
mod failures;
mod headers;
mod services;

use clap::Args;
use lapin::BasicProperties;
use lapin::types::ShortString;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use failures::Failures;
use services::Services;

/// The flags that say what the messages are like.
#[derive(Args, Clone, Debug)]
pub struct LetterArgs {
    /// Bytes in a body
    #[arg(long, default_value_t = 1024)]
    pub size: usize,
    /// Services that the messages died in; a few of them are noisy
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub services: u32,
    /// Squads that own them
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub squads: u32,
    /// Distinct failures among the messages
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub errors: u32,
    /// Send no message id: such messages cannot be told apart
    #[arg(long, overrides_with = "message_id")]
    pub no_message_id: bool,
    /// Send a message id (the default)
    #[arg(long, overrides_with = "no_message_id")]
    pub message_id: bool,
    /// Make the same messages again [default: different ones each time]
    #[arg(long)]
    pub seed: Option<u64>,
}

/// What a message is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As the broker dead-letters it, with `x-death` and, for rejected ones, our failure headers.
    Dead,
    /// As its publisher sent it.
    Live,
}

/// One message, ready to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Its message id, unless it goes without.
    pub message_id: Option<String>,
    /// The key that it was first published with, and is dead-lettered with.
    pub routing_key: String,
    /// All its properties, headers among them.
    pub properties: BasicProperties,
    /// JSON of the size asked for.
    pub body: Vec<u8>,
}

/// Makes messages, each from its index alone, so that any of them can be made again.
#[derive(Debug)]
pub struct Letters {
    services: Services,
    failures: Failures,
    size: usize,
    message_id: bool,
    mode: Mode,
    seed: u64,
    salt: u64,
}

impl Letters {
    /// Without a seed among the flags, one is drawn.
    pub fn new(args: &LetterArgs, mode: Mode) -> Self {
        let services = Services::new(args.services as usize, args.squads as usize);
        Self {
            failures: Failures::new(args.errors as usize, args.services as usize),
            services,
            size: args.size,
            message_id: !args.no_message_id,
            mode,
            seed: args.seed.unwrap_or_else(rand::random),
            salt: 0,
        }
    }

    /// The same messages under other ids, so that a run does not meet what an earlier run with its seed left behind.
    #[must_use]
    pub fn with_fresh_ids(mut self) -> Self {
        self.salt = rand::random();
        self
    }

    /// What `--seed` must be to make these messages again.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The services and the squads that own them.
    pub fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        self.services.owners()
    }

    /// The message with this index, published at `now` (seconds since 1970).
    pub fn letter(&self, index: u64, now: u64) -> Letter {
        let mut rng = StdRng::seed_from_u64(mix(self.seed, index));
        let service = self.services.draw(&mut rng);
        let event = body::draw_event(&mut rng);
        let routing_key = format!("{}.{event}", service.exchange);
        let message_id = self.message_id.then(|| self.draw_id(index, &mut rng));
        let correlation_id = draw_uuid(&mut rng).to_string();
        let traceparent = headers::draw_traceparent(&mut rng);

        let headers = match self.mode {
            Mode::Live => headers::live(&traceparent),
            Mode::Dead => {
                let death = headers::Death {
                    reason: headers::draw_reason(&mut rng),
                    exchange: &service.exchange,
                    queue: &service.queue,
                    routing_key: &routing_key,
                    time: now,
                };
                let failure = self.failures.draw(service.index, &mut rng);
                headers::dead(&death, &failure, &traceparent)
            }
        };
        let mut properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(2)
            .with_correlation_id(correlation_id.into())
            .with_app_id(ShortString::from(service.publisher))
            .with_type(event.into())
            .with_timestamp(now)
            .with_headers(headers);
        if let Some(id) = &message_id {
            properties = properties.with_message_id(id.as_str().into());
        }
        let body = body::json(self.size, index, event, service, &mut rng);
        Letter { message_id, routing_key, properties, body }
    }

    /// Drawn in any case, so that fresh ids change nothing else about a message.
    fn draw_id(&self, index: u64, rng: &mut StdRng) -> String {
        let id = draw_uuid(rng);
        if self.salt == 0 {
            return id.to_string();
        }
        draw_uuid(&mut StdRng::seed_from_u64(mix(self.salt, index))).to_string()
    }
}

fn draw_uuid(rng: &mut StdRng) -> Uuid {
    uuid::Builder::from_random_bytes(rng.random()).into_uuid()
}

/// Spreads neighbouring indexes over all seeds (the finaliser of `SplitMix64`), so that runs with neighbouring seeds
/// do not share messages.
fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
