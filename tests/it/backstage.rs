//! A real Backstage (`backstage/`), with a catalog that the test writes.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Database, free_address, until};

/// The token that it expects of those who read its catalog.
pub const TOKEN: &str = "the-token-of-the-tests";

/// Ends with the value.
pub struct Backstage {
    pub url: String,
    address: String,
    catalog: TempDir,
    child: Option<Child>,
    // Dropped last.
    database: Database,
}

/// A component of the catalog: its name, its service, and its owner.
pub struct Component<'c>(pub &'c str, pub &'c str, pub &'c str);

impl Backstage {
    /// With a catalog of these components, but not started.
    pub async fn with(components: &[Component<'_>]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = free_address();
        let url = format!("http://{address}");
        let (catalog, database) = (tempfile::tempdir().unwrap(), Database::shared().await);
        let backstage = Self { url, address, catalog, child: None, database };
        backstage.has(components);
        backstage
    }

    /// From now on, these components are in the catalog.
    pub fn has(&self, components: &[Component<'_>]) {
        let each = components.iter().map(|Component(name, service, owner)| {
            json!({
                "apiVersion": "backstage.io/v1alpha1",
                "kind": "Component",
                "metadata": {"name": name, "annotations": {"dead-letter/service-name": service}},
                "spec": {"type": "service", "lifecycle": "production", "owner": owner},
            })
        });
        // YAML, too.
        let documents: Vec<_> = each.map(|component| component.to_string()).collect();
        let (path, whole) = (self.catalog.path().join("next"), self.file());
        std::fs::write(&path, documents.join("\n---\n")).unwrap();
        std::fs::rename(path, whole).unwrap();
    }

    fn file(&self) -> String {
        self.catalog.path().join("catalog.yaml").display().to_string()
    }

    /// Starts it, and waits until it is ready.
    pub async fn start(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/backstage.sh");
        let mut command = Command::new(script);
        command
            .arg("serve")
            .env("BACKSTAGE_ADDR", &self.address)
            .env("BACKSTAGE_URL", &self.url)
            .env("BACKSTAGE_DATABASE_URL", &self.database.url)
            .env("BACKSTAGE_CATALOG_TOKEN", TOKEN)
            .env("APP_CONFIG_backend_database_pluginDivisionMode", "schema")
            .env("APP_CONFIG_backend_database_ensureExists", "false")
            .env("APP_CONFIG_backend_database_ensureSchemaExists", "true")
            .env("APP_CONFIG_catalog_processingInterval", r#"{"seconds": 1}"#)
            .env(
                "APP_CONFIG_catalog_locations",
                json!([{"type": "file", "target": self.file()}]).to_string(),
            );
        // In a group of its own, with all that it starts.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let ready = format!("{}/.backstage/health/v1/readiness", self.url);
        until("Backstage is ready", || async {
            reqwest::get(&ready).await.ok().filter(|answer| answer.status() == 200)
        })
        .await;
    }

    /// Stops it at once.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = Command::new("kill").arg("-KILL").arg("--").arg(format!("-{}", child.id())).status();
        let _ = child.wait();
    }
}

impl Drop for Backstage {
    fn drop(&mut self) {
        self.stop();
    }
}
