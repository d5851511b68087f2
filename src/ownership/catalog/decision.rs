//! Whose a service is, where components claim it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::claims::Claim;
use crate::ownership::same_squad;

/// What the claims on a service amount to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Decision {
    /// It belongs to this squad.
    Squad(String),
    /// It belongs to no squad, says every claim.
    Nobody,
    /// The claims contradict each other.
    Contested,
    /// Another component claims it for another squad than before. It belongs to nobody until then.
    Waits(DateTime<Utc>),
}

/// The component that a service was last taken from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    uid: String,
    squad: String,
    /// Since when the component claims the service no longer.
    gone: Option<DateTime<Utc>>,
}

/// Decides, and says who holds the service from now on.
///
/// Claims that contradict each other give it to nobody. A component may change its owner at any time. Another component may take the
/// service over for its squad only after the last holder has been gone for `delay`: else whoever waits for a component to be renamed
/// would get the service.
pub(super) fn decide(
    claims: &BTreeSet<Claim>,
    holder: Option<Holder>,
    now: DateTime<Utc>,
    delay: TimeDelta,
) -> (Decision, Option<Holder>) {
    let still_claims = |holder: &Holder| claims.iter().any(|claim| claim.uid == holder.uid);
    let holder = holder.map(|holder| Holder {
        gone: if still_claims(&holder) { None } else { holder.gone.or(Some(now)) },
        ..holder
    });
    let holder = holder.filter(|holder| holder.gone.is_none_or(|gone| gone + delay > now));
    let Some(first) = claims.first() else { return (Decision::Nobody, holder) };
    let agree = claims.iter().all(|claim| match (&claim.squad, &first.squad) {
        (Some(one), Some(other)) => same_squad(one, other),
        (one, other) => one == other,
    });
    if !agree {
        return (Decision::Contested, holder);
    }
    let Some(squad) = &first.squad else { return (Decision::Nobody, holder) };
    if let Some(Holder { gone: Some(gone), squad: held, .. }) = &holder
        && !same_squad(held, squad)
    {
        return (Decision::Waits(*gone + delay), holder);
    }
    let still = holder.filter(|holder| holder.gone.is_none()).map(|holder| holder.uid);
    let uid = still.unwrap_or_else(|| first.uid.clone());
    (Decision::Squad(squad.clone()), Some(Holder { uid, squad: squad.clone(), gone: None }))
}
