//! What was published, and what became of it, in Jepsen's words.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::iter::Sum;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::support::{Broker, DeadMessage, id};

/// Bytes of a body: enough of them in a batch for it to be copied.
const BODY: usize = 2_000;
/// How often rows are read that the counters do not know of.
const LOOK: Duration = Duration::from_secs(2);
/// A body begins with this many bytes that no other has.
const MARK: usize = 36;

/// Messages with confirms.
#[derive(Debug, Default)]
pub struct Ledger {
    sent: HashMap<String, Sent>,
    /// When the rows were last read.
    looked: Cell<Option<Instant>>,
}

#[derive(Debug)]
struct Sent {
    body: [u8; 32],
    /// Whether it has a message id and a time of death.
    keyed: bool,
}

/// How many messages ended in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub stored: usize,
    /// Confirmed, and neither stored nor queued.
    pub lost: usize,
    /// Stored, and never published.
    pub unexpected: usize,
    /// Stored with other bytes.
    pub corrupted: usize,
    /// More rows than one, of a message that can be told apart.
    pub duplicated: usize,
    /// The same of one that cannot, which is allowed.
    pub twins: usize,
}

impl Ledger {
    /// Publishes so many, half of them without what tells them apart. Returns the ids of the others.
    pub async fn publish(
        &mut self,
        broker: &Broker,
        exchange: &str,
        count: usize,
        random: &mut StdRng,
    ) -> Vec<String> {
        let (messages, ids) = self.prepare("chaos_service", count, random);
        broker.publish_all(exchange, messages).await;
        ids
    }

    /// So many messages that died in this queue, which will be published and confirmed; half of them are without what tells them apart.
    /// Also the ids of the others.
    pub fn prepare(
        &mut self,
        queue: &str,
        count: usize,
        random: &mut StdRng,
    ) -> (Vec<DeadMessage>, Vec<String>) {
        let (mut messages, mut ids) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (mark, keyed) = (id(), number % 2 == 0);
            let mut body = vec![0; BODY];
            random.fill(&mut body[MARK..]);
            body[..MARK].copy_from_slice(mark.as_bytes());
            let sent = Sent { body: Sha256::digest(&body).into(), keyed };
            let message = if keyed { DeadMessage::new(&mark, queue) } else { DeadMessage::plain() };
            messages.push(message.body(body));
            if keyed {
                ids.push(mark.clone());
            }
            self.sent.insert(mark, sent);
        }
        (messages, ids)
    }

    /// Whether this is the body that the message was published with.
    pub fn is_body(&self, body: &[u8]) -> bool {
        let mark = body.get(..MARK).and_then(|mark| std::str::from_utf8(mark).ok());
        let sent = mark.and_then(|mark| self.sent.get(mark));
        sent.is_some_and(|sent| sent.body == <[u8; 32]>::from(Sha256::digest(body)))
    }

    /// How many were published and confirmed.
    pub fn count(&self) -> usize {
        self.sent.len()
    }

    /// How many different messages are stored.
    pub async fn stored(&self, database: &PgPool) -> i64 {
        sqlx::query_scalar("SELECT count(DISTINCT substring(body FOR $1)) FROM dead_letter")
            .bind(i32::try_from(MARK).unwrap())
            .fetch_one(database)
            .await
            .unwrap()
    }

    /// Whether all are stored. Who waits asks often: rows are read once the counters say that there are enough, and now and then
    /// all the same, as the counters may be wrong.
    pub async fn is_stored(&self, database: &PgPool) -> bool {
        let rows = "SELECT COALESCE(sum(dead + redelivered + deleted), 0)::bigint FROM error_group_count";
        let rows: i64 = sqlx::query_scalar(rows).fetch_one(database).await.unwrap();
        let sent = i64::try_from(self.count()).unwrap();
        if rows < sent && self.looked.get().is_some_and(|at| at.elapsed() < LOOK) {
            return false;
        }
        let stored = self.stored(database).await;
        self.looked.set(Some(Instant::now()));
        stored >= sent
    }

    /// Looks at all rows. The queue is to be empty.
    pub async fn classify(&self, database: &PgPool) -> Verdict {
        let rows: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("SELECT body, count(*) FROM dead_letter GROUP BY body")
                .fetch_all(database)
                .await
                .unwrap();
        let mut verdict = Verdict::default();
        let mut found: HashMap<&str, usize> = HashMap::new();
        for (body, count) in &rows {
            let mark = body.get(..MARK).and_then(|mark| std::str::from_utf8(mark).ok());
            let Some((mark, sent)) = mark.and_then(|mark| self.sent.get_key_value(mark)) else {
                verdict.unexpected += 1;
                continue;
            };
            if sent.body != <[u8; 32]>::from(Sha256::digest(body)) {
                verdict.corrupted += 1;
            }
            *found.entry(mark).or_default() += usize::try_from(*count).unwrap();
        }
        for (mark, sent) in &self.sent {
            match found.get(mark.as_str()) {
                None => verdict.lost += 1,
                Some(1) => verdict.stored += 1,
                Some(more) if sent.keyed => verdict.duplicated += more - 1,
                Some(more) => {
                    verdict.stored += 1;
                    verdict.twins += more - 1;
                }
            }
        }
        verdict
    }
}

impl Sum for Verdict {
    fn sum<I: Iterator<Item = Self>>(verdicts: I) -> Self {
        verdicts.fold(Self::default(), |sum, other| Self {
            stored: sum.stored + other.stored,
            lost: sum.lost + other.lost,
            unexpected: sum.unexpected + other.unexpected,
            corrupted: sum.corrupted + other.corrupted,
            duplicated: sum.duplicated + other.duplicated,
            twins: sum.twins + other.twins,
        })
    }
}

impl Verdict {
    /// Nothing is wrong with it.
    pub fn is_clean(&self) -> bool {
        [self.lost, self.unexpected, self.corrupted, self.duplicated] == [0; 4]
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stored, lost, unexpected, corrupted, duplicated, twins } = self;
        write!(
            f,
            "stored {stored}, lost {lost}, unexpected {unexpected}, corrupted {corrupted}, duplicated {duplicated}, twins {twins}"
        )
    }
}
