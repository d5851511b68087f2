//! Deployments as clients see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::dead_letter::received_at;
use crate::domain::deployment::Deployment;

/// A deployment: which version of a service has been running since when.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deployment)]
pub struct DeploymentView {
    /// Id of the deployment.
    id: Uuid,
    /// Service.
    #[schema(example = "webshop")]
    service: String,
    /// Version.
    #[schema(example = "1.43.0")]
    version: String,
    /// Environment. Null: none was named.
    #[schema(required, example = "production")]
    environment: Option<String>,
    /// When the first instance of this version was to start.
    started_at: DateTime<Utc>,
    /// When the last instance of the version before was gone. Null: that was not told.
    #[schema(required)]
    finished_at: Option<DateTime<Utc>>,
    /// Commit.
    #[schema(required, example = "9f2c1ab")]
    commit: Option<String>,
    /// Where there is more about it.
    #[schema(required, example = "https://ci.example.com/webshop/4711")]
    link: Option<String>,
    /// When it was told first.
    told_at: DateTime<Utc>,
    /// Who told it first.
    #[schema(example = "token:ci-webshop")]
    told_by: String,
}

impl From<Deployment> for DeploymentView {
    fn from(deployment: Deployment) -> Self {
        Self {
            told_at: received_at(deployment.id),
            id: deployment.id,
            service: deployment.service,
            version: deployment.version,
            environment: deployment.environment,
            started_at: deployment.started_at,
            finished_at: deployment.finished_at,
            commit: deployment.commit,
            link: deployment.link,
            told_by: deployment.told_by,
        }
    }
}
