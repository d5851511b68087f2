//! The closed sets of words of the API, in requests and in responses alike. Each is a named schema of the document.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::word::Word;
use super::word::words;
use crate::domain::attribute::AttributeKind as AttributeOf;
use crate::domain::coding::Coding;
use crate::domain::convention::ToldBy;
use crate::domain::dead_letter::Status;
use crate::domain::error_group::GroupState;
use crate::domain::filter::Order as ByArrival;
use crate::domain::find::FoundAs as Found;
use crate::domain::histogram::Dimension;
use crate::domain::operation::{Kind, Outcome as ItemOutcome, RoutingKey, Sequence, State};
use crate::domain::verdict::Verdict as Judged;
use crate::operations::Severity;
use crate::store::Choice;

words! {
    /// The status of a dead letter.
    DeadLetterStatus = Status {
        /// Nothing was done with it yet.
        Dead,
        /// It was redelivered.
        Redelivered,
        /// It was deleted.
        Deleted,
    }
}

words! {
    /// The statuses that a filter lets through.
    StatusFilter {
        /// Nothing was done with it yet.
        Dead,
        /// It was redelivered.
        Redelivered,
        /// It was deleted.
        Deleted,
        /// Every status.
        Any,
    }
}

words! {
    /// The order of a list, by time of arrival.
    Order = ByArrival {
        /// Latest arrival first.
        Newest,
        /// Earliest arrival first.
        Oldest,
    }
}

words! {
    /// The order in which an operation acts on its dead letters.
    OperationOrder = Sequence {
        /// Latest arrival first. A redelivery's messages reach each queue in this order.
        Newest,
        /// Earliest arrival first. A redelivery's messages reach each queue in this order.
        Oldest,
        /// The newest are selected and sent as fast as possible, in no particular order.
        Any,
    }
}

words! {
    /// What an operation does.
    OperationKind = Kind {
        /// Publishes the messages again.
        Redeliver,
        /// Deletes the dead letters. They can be restored until they are purged.
        Delete,
        /// Restores deleted dead letters.
        Restore,
    }
}

words! {
    /// The state of an operation.
    OperationState = State {
        /// Not started.
        Pending,
        /// Started.
        Running,
        /// Waiting for the reason in `waitingFor`: a target queue has more ready messages than `maxQueueDepth`. The operation continues by
        /// itself.
        Waiting,
        /// Paused by a user or by its canary. It can be resumed.
        Paused,
        /// Being cancelled: its remaining items are released.
        Cancelling,
        /// Cancelled. What was not done stays as it was.
        Cancelled,
        /// Every item has its outcome.
        Completed,
    }
}

words! {
    /// Whether an operation achieved what was asked for.
    Verdict = Judged {
        /// Some items have no outcome yet.
        Running,
        /// Everything was sent, and the service watches whether messages die again.
        Watching,
        /// Everything was done.
        Completed,
        /// Some items were refused, skipped or not done, or some messages died again.
        CompletedWithProblems,
        /// Nothing was done, or every message died again.
        Failed,
    }
}

words! {
    /// The outcome of one dead letter in an operation.
    Outcome = ItemOutcome {
        /// Published and confirmed by the broker.
        Sent,
        /// Sent, and the message died again.
        Returned,
        /// Deleted.
        Deleted,
        /// Restored.
        Restored,
        /// The broker did not accept the message. The dead letter stays dead.
        Refused,
        /// Not acted on: another operation has it, its status does not allow it, it is no longer stored, or the operation was cancelled.
        Skipped,
    }
}

words! {
    /// What was done to a running operation.
    OperationAction {
        /// It was paused.
        Pause,
        /// It was resumed.
        Resume,
        /// A second person approved it.
        Approve,
        /// It was cancelled.
        Cancel,
        /// Its rate was changed.
        Rate,
        /// Its canary passed a step, or paused the operation.
        Canary,
    }
}

words! {
    /// The routing key with which a message reaches the queue where it died.
    RedeliveryRoutingKey = RoutingKey {
        /// The name of the queue.
        Queue,
        /// The routing key that the message was first published with.
        Original,
    }
}

words! {
    /// How much a warning matters.
    PlanSeverity = Severity {
        /// A reason to stop: messages may fail again, wait, be refused or be lost.
        Warning,
        /// Information.
        Note,
    }
}

words! {
    @in "snake_case"
    /// What a plan warns of. New codes may be added.
    PlanWarningCode {
        /// The error still occurs.
        StillFailing,
        /// Another operation has some of the dead letters.
        InOperation,
        /// The target queue does not exist.
        QueueMissing,
        /// The target queue has no consumers.
        NoConsumers,
        /// The operation will wait, because the target queue has too many ready messages.
        WillWait,
        /// The target queue has many ready messages, and the operation will not wait.
        QueueCrowded,
        /// The target exchange does not exist.
        ExchangeMissing,
        /// The queue where the message died is not known.
        NoOrigin,
        /// The messages are large.
        LargeMessages,
        /// Some dead letters have a status that the operation does not act on.
        NotSelectable,
        /// The message died on a broker or virtual host that the service is not connected to.
        OtherPlace,
        /// Only the message itself says where it died.
        OriginClaimed,
        /// The message arrives with another routing key than it was first published with.
        RoutingKeyChanges,
        /// The target queue drops messages after a time.
        Expires,
        /// The target queue discards messages when it is full.
        Discards,
        /// The target queue drops messages when it is full.
        QueueDrops,
        /// The messages were redelivered before.
        Again,
        /// The messages died again after an earlier redelivery.
        DiedAgain,
        /// The broker cannot be reached.
        BrokerUnreachable,
        /// A second person has to approve the operation.
        NeedsApproval,
    }
}

words! {
    /// The state of an error group.
    ErrorGroupState = GroupState {
        /// First seen less than a day ago.
        New,
        /// First seen a day ago or earlier.
        Ongoing,
        /// Occurred again after it was resolved.
        Regressed,
        /// Resolved, and did not occur again.
        Resolved,
        /// Muted until a time or a count.
        Muted,
    }
}

words! {
    /// What is done with an error group.
    ErrorGroupAction {
        /// Marks it as resolved.
        Resolve,
        /// Withdraws `resolve` and `mute`.
        Reopen,
        /// Mutes it until a time or a count.
        Mute,
        /// Only adds a note.
        Note,
        /// Says who is on it.
        Assign,
        /// Withdraws `assign`.
        Unassign,
        /// Links it to a ticket.
        Link,
        /// Removes the link.
        Unlink,
        /// Merges other groups of the same service into it.
        Merge,
        /// Makes merged groups groups of their own again.
        Split,
    }
}

words! {
    /// The length of the intervals of a histogram.
    HistogramInterval {
        /// One minute.
        #[serde(rename = "1m")]
        Minute,
        /// 5 minutes.
        #[serde(rename = "5m")]
        Minutes5,
        /// 15 minutes.
        #[serde(rename = "15m")]
        Minutes15,
        /// One hour.
        #[serde(rename = "1h")]
        Hour,
        /// 6 hours.
        #[serde(rename = "6h")]
        Hours6,
        /// One day.
        #[serde(rename = "1d")]
        Day,
    }
}

words! {
    /// What a histogram is split by.
    HistogramDimension = Dimension {
        /// The service.
        Service,
        /// The error group.
        ErrorGroup,
        /// The broker's reason.
        Reason,
    }
}

words! {
    /// Who says where a message died.
    OriginToldBy = ToldBy {
        /// The broker, by its history of deaths or by the queue in which the message was.
        Broker,
        /// The message itself, by its headers or envelope.
        Message,
    }
}

words! {
    /// The encoding of a body in JSON.
    BodyEncoding {
        /// The body is UTF-8 text.
        Text,
        /// The body is other bytes, encoded as base64.
        Base64,
    }
}

words! {
    /// The compression of a body.
    BodyCompression = Coding {
        /// gzip
        Gzip,
        /// deflate
        Deflate,
        /// Zstandard
        Zstd,
    }
}

words! {
    /// Whether a total is exact.
    TotalRelation {
        /// Exactly this many.
        Eq,
        /// At least this many.
        Gte,
    }
}

words! {
    /// Something that dead letters can have in common.
    AttributeKind = AttributeOf {
        /// The `type` property.
        Type,
        /// Routing key that the message was published with.
        RoutingKey,
        /// Exchange that the message was published to.
        Exchange,
        /// Queue that the message died in.
        Queue,
        /// Error group.
        ErrorGroup,
        /// Type of the error.
        ErrorType,
        /// The `app-id` property.
        AppId,
        /// The `user-id` property.
        UserId,
        /// The `content-type` property.
        ContentType,
        /// The `content-encoding` property.
        ContentEncoding,
        /// The `priority` property.
        Priority,
        /// The `expiration` property.
        Expiration,
        /// The `reply-to` property.
        ReplyTo,
        /// A header, by its name.
        Header,
        /// A value in the JSON body, by its path. `*` stands for any place in an array.
        Body,
        /// What the body is: `json`, `text`, `binary` or `empty`.
        BodyFormat,
        /// How often the message died.
        Attempts,
        /// Hour of the day of the death (UTC), from 0 to 23.
        HourOfDay,
        /// Hour of the death: the time at which it began.
        Hour,
        /// Time of the death.
        DiedAt,
    }
}

words! {
    /// How a sample was chosen.
    SampleChoice = Choice {
        /// It is not a sample: it is all that there is.
        All,
        /// At random.
        Random,
        /// The newest, because it took too long to look at all.
        Newest,
    }
}

words! {
    /// What a condition says of an attribute.
    ConditionTest {
        /// One of its values is `value`.
        Is,
        /// It is there, and none of its values is `value`.
        IsNot,
        /// It is there.
        Present,
        /// It is not there.
        Missing,
        /// One of its values is a number or a time from `from` to `to`. Null: no bound.
        Between,
    }
}

words! {
    /// What an error group is compared with.
    ComparedWith {
        /// The other dead letters of its service.
        Service,
        /// Nothing: the service has no other dead letters.
        Nothing,
    }
}

words! {
    /// What the text in `find` turned out to be.
    FoundAs = Found {
        /// The id of a dead letter, or its first or last digits.
        DeadLetterId,
        /// A message id.
        MessageId,
        /// A correlation id.
        CorrelationId,
        /// A redelivery id.
        RedeliveryId,
        /// The id of an operation.
        OperationId,
        /// No known id: a text in the error, the body or a header value.
        Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error::FieldError;

    fn names<W: Word>() -> Vec<String> {
        W::ALL.iter().map(Word::name).collect()
    }

    #[test]
    fn the_api_and_the_store_use_the_same_words() {
        assert_eq!(names::<OperationKind>(), Kind::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>());
        assert_eq!(
            names::<OperationState>(),
            State::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()
        );
        assert_eq!(names::<Outcome>(), ItemOutcome::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>());
        assert_eq!(names::<Verdict>(), Judged::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>());
        assert_eq!(
            names::<AttributeKind>(),
            AttributeOf::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()
        );
        assert_eq!(names::<ErrorGroupState>(), GroupState::ALL.map(GroupState::as_str));
        assert_eq!(
            names::<HistogramInterval>(),
            crate::domain::histogram::LENGTHS.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_allowed_ones() {
        assert_eq!(Order::read("order", "oldest"), Ok(Order::Oldest));
        let wrong = FieldError::new("order", "must be one of newest, oldest");
        assert_eq!(Order::read("order", "Newest"), Err(wrong));
        assert_eq!(PlanWarningCode::read("code", "still_failing"), Ok(PlanWarningCode::StillFailing));
    }
}
