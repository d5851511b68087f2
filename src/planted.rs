//! Bugs that are put in on purpose: the test of the chaos tests, which must find each of them.
//!
//! They exist with the feature `planted-bugs` only, which no release has, and one at a time: the one that
//! `DEAD_LETTER_PLANTED_BUG` names. Without the feature [`planted`] is the constant `false`, and the compiler takes out what
//! depends on it.

macro_rules! bugs {
    ($($(#[$meta:meta])* $bug:ident = $name:literal),+ $(,)?) => {
        /// A bug, each of which breaks one rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Bug { $($(#[$meta])* $bug),+ }

        impl Bug {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$bug),+];

            /// The name that switches it on.
            pub fn name(self) -> &'static str {
                match self { $(Self::$bug => $name),+ }
            }
        }
    };
}

bugs! {
    /// R1: a message is acknowledged as it arrives.
    AckBeforeCommit = "ack-before-commit",
    /// R1: an ack covers batches before that are not committed.
    AckAcrossBatches = "ack-across-batches",
    /// R3: messages without an identity are told apart by their body.
    TwinsByContent = "twins-by-content",
    /// R3: a message that the broker does not call redelivered is taken for new.
    RedeliveredFlagTrusted = "redelivered-flag-trusted",
    /// R4: a body is kept as text.
    BodyAsText = "body-as-text",
    /// R5: a row that the database refuses is left out.
    PoisonDropped = "poison-dropped",
    /// R6: what cannot be stored goes back to the queue.
    RequeueOnDatabaseError = "requeue-on-database-error",
    /// R7: what is published counts as sent, confirmed or not.
    ConfirmNotAwaited = "confirm-not-awaited",
    /// R7: no confirm in time counts as one.
    TimeoutIsSent = "timeout-is-sent",
    /// R7: the end of the channel counts as a confirm.
    LostChannelIsSent = "lost-channel-is-sent",
    /// R7: a nack counts as a confirm.
    NackIsSent = "nack-is-sent",
    /// R7: messages are not published as mandatory.
    NotMandatory = "not-mandatory",
    /// R7: what is returned counts as sent.
    ReturnIsSent = "return-is-sent",
    /// R8: several live operations may have the same dead letter.
    SeveralOperations = "several-operations",
    /// R9: each chunk looks again for what is selected.
    SelectionNotFrozen = "selection-not-frozen",
    /// R10: two workers may do the same chunk.
    ChunkNotLocked = "chunk-not-locked",
    /// R10: each try has a redelivery id of its own.
    RandomRedeliveryId = "random-redelivery-id",
    /// R11: counters are changed after the transaction that changes the rows.
    CountersOutside = "counters-outside",
}

/// Whether this bug is put in.
#[cfg(not(feature = "planted-bugs"))]
pub const fn planted(_: Bug) -> bool {
    false
}

/// Whether this bug is put in.
#[cfg(feature = "planted-bugs")]
pub fn planted(bug: Bug) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("DEAD_LETTER_PLANTED_BUG").ok());
    CHOSEN.as_deref() == Some(bug.name())
}
