//! `GET /dead-letters/error-groups/{id}/distinctions`: why these, and not the others of the same service.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::json;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use super::one::seen;
use crate::access::Permission;
use crate::domain::attribute::{AttributeKind as Kind, Layer, Letter, Sample, Side};
use crate::domain::audit::Entry;
use crate::domain::contrast::{Condition, Distinction, FEWEST, Share, Test, contrast};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::dead_letters::facets::SampleView;
use crate::http::dead_letters::{PathId, path_id};
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::responses::{BadRequest, NotFound, Unavailable};
use crate::http::words::{AttributeKind, ComparedWith, ConditionTest};

/// Dead letters of either side that are looked at.
const SAMPLED: usize = 1_000;

/// What sets the dead letters of an error group apart.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the field is what the others are about")]
pub struct Distinctions {
    /// What the group is compared with. `nothing`: `distinctions` has what nearly all of its dead letters have in common, the cause or
    /// not.
    compared_with: ComparedWith,
    /// The dead letters of the group that were looked at. Only those with the status `dead` are.
    inside: SampleView,
    /// The others that were looked at.
    outside: SampleView,
    /// Whether properties, headers and bodies were looked at. This needs the permission `read-payload`.
    payload: bool,
    /// Number of bodies that were not looked at, because they are larger than 32 KiB or have too many values.
    #[schema(example = 0)]
    unread_bodies: usize,
    /// Whether the group has fewer than three dead letters, of which nothing can be said.
    too_few: bool,
    /// The distinctions, best first. At most ten.
    distinctions: Vec<DistinctionView>,
}

/// What sets the group apart: conditions, and how many dead letters they hold for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Distinction)]
struct DistinctionView {
    /// One condition, or two that hold at once.
    conditions: Vec<ConditionView>,
    /// In the group.
    inside: ShareView,
    /// In what the group is compared with.
    outside: ShareView,
    /// Conditions that hold for nearly the same dead letters. At most five.
    together: Vec<ConditionView>,
}

/// A number of dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Share)]
struct ShareView {
    /// Number of dead letters in the sample for which the conditions hold.
    #[schema(example = 998)]
    count: usize,
    /// Their share: from 0 to 1.
    #[schema(example = 0.998)]
    share: f64,
}

/// A condition.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Condition)]
struct ConditionView {
    /// Of what.
    attribute: AttributeKind,
    /// Name of the header, or path in the body. Null for everything else.
    #[schema(required, example = "tenant")]
    name: Option<String>,
    /// What holds of it.
    test: ConditionTest,
    /// The value of `is` and `isNot`.
    #[schema(required, example = "acme")]
    value: Option<String>,
    /// The lower bound of `between`, as a number or a time.
    #[schema(required)]
    from: Option<String>,
    /// The upper bound of `between`, as a number or a time.
    #[schema(required)]
    to: Option<String>,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        Self { count: share.count, share: share.value() }
    }
}

impl From<Distinction> for DistinctionView {
    fn from(distinction: Distinction) -> Self {
        let views = |conditions: Vec<Condition>| conditions.into_iter().map(ConditionView::from).collect();
        Self {
            conditions: views(distinction.conditions),
            inside: distinction.inside.into(),
            outside: distinction.outside.into(),
            together: views(distinction.together),
        }
    }
}

impl From<Condition> for ConditionView {
    fn from(Condition { attribute, test }: Condition) -> Self {
        let shown = |bound: Option<f64>| bound.map(|bound| bound_of(attribute.kind, bound));
        let ((test, value), (from, to)) = match test {
            Test::Is(value) => ((ConditionTest::Is, Some(value)), (None, None)),
            Test::IsNot(value) => ((ConditionTest::IsNot, Some(value)), (None, None)),
            Test::Present => ((ConditionTest::Present, None), (None, None)),
            Test::Missing => ((ConditionTest::Missing, None), (None, None)),
            Test::Between(from, to) => ((ConditionTest::Between, None), (shown(from), shown(to))),
        };
        Self { attribute: attribute.kind.into(), name: attribute.into_name(), test, value, from, to }
    }
}

/// A bound as people read it: times are milliseconds since 1970.
fn bound_of(kind: Kind, bound: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time of a message")]
    let time = (kind == Kind::DiedAt).then(|| DateTime::<Utc>::from_timestamp_millis(bound as i64)).flatten();
    time.map_or_else(|| bound.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Get what sets the dead letters of an error group apart
///
/// Compares a sample of the group's dead letters with a sample of the other dead letters of the same service: type, routing key, exchange,
/// queue, publisher, headers, values in JSON bodies, and times. It compares dead letters only: messages that were handled are not stored.
/// Without the permission `read-payload`, publisher, headers and bodies are not looked at.
#[utoipa::path(
    get,
    path = "/dead-letters/error-groups/{id}/distinctions",
    operation_id = "getErrorGroupDistinctions",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "error groups",
    params(("id" = Uuid, Path, description = "Id of the group.")),
    responses(
        (status = 200, description = "What sets the group apart.", body = Distinctions),
        BadRequest, NotFound, Unavailable
    )
)]
#[tracing::instrument(name = "distinctions", skip_all)]
pub async fn error_group_distinctions(
    State(api): State<Api>,
    caller: Caller,
    id: PathId,
    query: Query,
) -> Result<Json<Distinctions>, ApiError> {
    let id = path_id(id)?;
    query.finish()?;
    let group = seen(&api, &caller, id).await?;
    let payload = caller.scope(&[Permission::ReadPayload]).covers(&group.service);
    let layer = if payload { Layer::Body } else { Layer::Row };
    let mut sampled = api.store.sample_group(group.id, &group.service, SAMPLED, layer).await?;
    if payload {
        let [inside, outside] = sampled.each_ref().map(|side| side.letters.len());
        let details = json!({"sampled": {"inside": inside, "outside": outside}});
        let (services, error_group) = (vec![group.service], Some(group.id));
        api.audit_payload(&caller, |read| Entry { services, error_group, details, ..read }).await?;
    }
    let [inside, outside] = sampled.each_ref().map(SampleView::new);
    let letters = sampled.each_mut().map(|side| std::mem::take(&mut side.letters));
    let is_alone = letters[1].is_empty();
    let too_few = letters[0].len() < FEWEST;
    let (distinctions, unread) = spawn_blocking(move || compare(&letters)).await?;
    Ok(Json(Distinctions {
        compared_with: if is_alone { ComparedWith::Nothing } else { ComparedWith::Service },
        inside,
        outside,
        payload,
        unread_bodies: if payload { unread } else { 0 },
        too_few,
        distinctions: distinctions.into_iter().map(DistinctionView::from).collect(),
    }))
}

/// The distinctions, and the number of bodies that were not read.
fn compare([inside, outside]: &[Vec<Letter>; 2]) -> (Vec<Distinction>, usize) {
    let mut sample = Sample::default();
    for (side, letters) in [(Side::Inside, inside), (Side::Outside, outside)] {
        for letter in letters {
            sample.add(side, letter);
        }
    }
    (contrast(&sample), sample.rows() - sample.read(Layer::Body))
}
