//! Deployments: which version of a service has been running since when.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A deployment, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id, which also says when it was told first.
    pub id: Uuid,
    /// What was deployed.
    pub service: String,
    /// Where, if that was named.
    pub environment: Option<String>,
    /// The version.
    pub version: String,
    /// When its first instance was to start.
    pub started_at: DateTime<Utc>,
    /// When the last instance of the version before was gone.
    pub finished_at: Option<DateTime<Utc>>,
    /// The commit that it was made of.
    pub commit: Option<String>,
    /// Where there is more about it.
    pub link: Option<String>,
    /// Who told it first.
    pub told_by: String,
}

/// A deployment that somebody tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldDeployment {
    /// What is deployed.
    pub service: String,
    /// Where.
    pub environment: Option<String>,
    /// The version.
    pub version: String,
    /// When it started. `None`: it is the current deployment if that has the same version, and else starts now.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was finished, if it is.
    pub finished_at: Option<DateTime<Utc>>,
    /// The commit.
    pub commit: Option<String>,
    /// Where there is more about it.
    pub link: Option<String>,
}
