//! `GET /dead-letters/facets`: what a selection is made of.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::search::TotalView;
use crate::access::Permission;
use crate::domain::attribute::{AttributeKind as Kind, Facet, Layer, Sample, Side, ValueCount};
use crate::domain::audit::Entry;
use crate::domain::contrast::Share;
use crate::domain::error_group::error_name;
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::filter::FilterInput;
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, Unavailable};
use crate::http::words::{AttributeKind, SampleChoice, Word};
use crate::store::Sampled;

/// Dead letters that are looked at.
const SAMPLED: usize = 5_000;
/// Values of each facet.
const DEFAULT_VALUES: usize = 10;
const MAX_VALUES: usize = 100;
/// Headers, and paths in bodies, that are told.
const MAX_NAMED: usize = 30;
/// What is counted where nothing is asked for: all that needs no permission beyond `read`.
const BY_DEFAULT: [Kind; 8] = [
    Kind::Type,
    Kind::RoutingKey,
    Kind::Exchange,
    Kind::Queue,
    Kind::ErrorGroup,
    Kind::ErrorType,
    Kind::Attempts,
    Kind::Hour,
];

/// Which facets.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FacetsInput {
    /// What to count by. May be repeated. Default: everything that needs no permission beyond `read`. The properties, `header`, `body` and
    /// `bodyFormat` need `read-payload`.
    #[serde(default)]
    #[param(value_type = Vec<AttributeKind>, required = false)]
    by: Vec<String>,
    /// Maximum number of values of each facet.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 10)]
    limit: Option<String>,
}

groups!(FacetsInput);

impl FacetsInput {
    fn kinds(&self) -> Result<Vec<Kind>, ApiError> {
        if self.by.is_empty() {
            return Ok(BY_DEFAULT.into());
        }
        let read = self.by.iter().map(|name| Ok(AttributeKind::read("by", name)?.into()));
        read.collect()
    }

    fn values(&self) -> Result<usize, ApiError> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_VALUES) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_VALUES).contains(limit));
        limit.ok_or_else(|| ApiError::field("limit", format!("must be a number from 1 to {MAX_VALUES}")))
    }
}

/// What the dead letters of a filter have in common, and where they differ.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Facets {
    /// The facets, in the order they were asked for. Headers and paths follow the number of dead letters that have them; those with
    /// a different value in each dead letter are left out.
    facets: Vec<FacetView>,
    /// The dead letters that were looked at.
    sample: SampleView,
}

/// A sample of dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sample)]
pub struct SampleView {
    /// How the sample was chosen. Unless it is `all`, counts are those of the sample, and shares are estimates.
    choice: SampleChoice,
    /// Number of dead letters in the sample.
    #[schema(example = 5_000)]
    messages: usize,
    /// Number of dead letters that it was chosen from.
    total: TotalView,
}

impl SampleView {
    /// Of a sample.
    pub fn new(sampled: &Sampled) -> Self {
        Self { choice: sampled.choice.into(), messages: sampled.letters.len(), total: sampled.total.into() }
    }
}

/// The values of one attribute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Facet)]
struct FacetView {
    /// What is counted by.
    by: AttributeKind,
    /// Name of the header, or path in the body. Null for everything else.
    #[schema(required, example = "tenant")]
    name: Option<String>,
    /// The most frequent values, most first.
    values: Vec<FacetValue>,
    /// Number of dead letters in the sample with other values.
    #[schema(example = 12)]
    others: usize,
    /// Number of dead letters in the sample without a value.
    #[schema(example = 0)]
    missing: usize,
}

/// A value, and how many dead letters have it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FacetValue {
    /// The value, as filters take it.
    #[schema(example = "OrderPlaced")]
    value: String,
    /// The error, for the value of `errorGroup`. Null for everything else.
    #[schema(required, example = "PaymentDeclined")]
    label: Option<String>,
    /// Number of dead letters in the sample that have it.
    #[schema(example = 4_100)]
    count: usize,
    /// Their share of the sample: from 0 to 1.
    #[schema(example = 0.82)]
    share: f64,
}

impl FacetView {
    fn new(facet: Facet, of: usize, labels: &HashMap<String, String>) -> Self {
        let value = |ValueCount { value, count }| {
            let share = Share { count, of }.value();
            FacetValue { label: labels.get(&value).cloned(), value, count, share }
        };
        Self {
            by: facet.attribute.kind.into(),
            name: facet.attribute.into_name(),
            values: facet.values.into_iter().map(value).collect(),
            others: facet.others,
            missing: facet.missing,
        }
    }
}

/// Break a selection down by type, routing key, error group, header and so on
///
/// Counts the values of the dead letters that match the filter. Of more than 5,000 dead letters a sample is looked at: `sample` says how
/// it was chosen.
#[utoipa::path(
    get,
    path = "/dead-letters/facets",
    operation_id = "getFacets",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "overviews",
    params(FilterInput, FacetsInput),
    responses((status = 200, description = "The facets.", body = Facets), BadRequest, Unavailable)
)]
#[tracing::instrument(name = "facets", skip_all)]
pub async fn facets(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<Facets>, ApiError> {
    let input: FilterInput = query.take()?;
    let asked: FacetsInput = query.take()?;
    query.finish()?;
    let (kinds, values) = (asked.kinds()?, asked.values()?);
    let layer = kinds.iter().map(|kind| kind.layer()).max().unwrap_or_default();
    let needed = match layer {
        Layer::Row => &[Permission::Read][..],
        Layer::Properties | Layer::Body => &[Permission::Read, Permission::ReadPayload],
    };
    let filter = input.resolve(&api, &caller, needed).await?;

    let mut sampled = api.store.sample(&filter, SAMPLED, layer).await?;
    if layer != Layer::Row {
        let services = services_of(&sampled);
        let details = json!({"filter": input, "by": asked.by, "sampled": sampled.letters.len()});
        api.audit_payload(&caller, |read| Entry { services, details, ..read }).await?;
    }
    let view = SampleView::new(&sampled);
    let letters = std::mem::take(&mut sampled.letters);
    let sample = spawn_blocking(move || {
        let mut sample = Sample::default();
        for letter in &letters {
            sample.add(Side::Inside, letter);
        }
        sample
    });
    let sample = sample.await?;
    drop(sampled);
    let chosen = chosen(sample.facets(values), &kinds);
    let labels = labels(&api, &chosen).await?;
    let facets = chosen.into_iter().map(|facet| {
        let of = sample.read(facet.attribute.kind.layer());
        FacetView::new(facet, of, &labels)
    });
    Ok(Json(Facets { facets: facets.collect(), sample: view }))
}

/// The services of the dead letters.
fn services_of(sampled: &Sampled) -> Vec<String> {
    let mut services: Vec<_> = sampled.letters.iter().map(|letter| letter.columns.service.clone()).collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// Those that were asked for, in that order.
fn chosen(facets: Vec<Facet>, kinds: &[Kind]) -> Vec<Facet> {
    let mut by_kind: HashMap<Kind, Vec<Facet>> = HashMap::new();
    for facet in facets {
        by_kind.entry(facet.attribute.kind).or_default().push(facet);
    }
    let one = |kind: &Kind| {
        let mut facets = by_kind.remove(kind).unwrap_or_default();
        if matches!(kind, Kind::Header | Kind::Body) {
            facets.retain(|facet| facet.values.first().is_some_and(|value| value.count > 1));
            facets.sort_by_key(|facet| facet.missing);
            facets.truncate(MAX_NAMED);
        }
        facets
    };
    kinds.iter().flat_map(one).collect()
}

/// The errors of the groups among the values.
async fn labels(api: &Api, facets: &[Facet]) -> Result<HashMap<String, String>, ApiError> {
    let groups = facets.iter().filter(|facet| facet.attribute.kind == Kind::ErrorGroup);
    let ids: Vec<Uuid> =
        groups.flat_map(|facet| &facet.values).filter_map(|value| value.value.parse().ok()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let groups = api.store.known_error_groups(&ids).await?.into_iter();
    let named = groups.map(|group| {
        let (kind, text) = (group.error_type.as_deref(), group.template.as_deref());
        (group.id.to_string(), error_name(kind, text, group.reason.as_deref()))
    });
    Ok(named.collect())
}
