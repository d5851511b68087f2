//! The migrations that this release has: the files of `migrations/`, in their order.

use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../migrations/", $name, ".sql")))),*]
    };
}

const FILES: [(&str, &str); 22] = files![
    "0001_dead_letter",
    "0002_operation",
    "0003_error_groups",
    "0004_steering",
    "0005_edit",
    "0006_origin",
    "0007_places",
    "0008_road_out",
    "0010_verdicts",
    "0011_waiting",
    "0012_pending",
    "0013_chunks",
    "0014_requester",
    "0015_audit",
    "0016_roles",
    "0017_approval",
    "0018_catalog",
    "0019_planned",
    "0020_operation_groups",
    "0021_incidents",
    "0022_deployments",
    "0023_triage",
];

/// All of them. It goes on beside those of later releases, and takes no lock of its own.
pub fn migrator() -> Migrator {
    let migrations = FILES.iter().filter_map(|(name, sql)| migration(name, sql)).collect();
    Migrator { migrations, ignore_missing: true, locking: false, no_tx: false }
}

/// With the number and the description that its file's name says.
fn migration(name: &str, sql: &'static str) -> Option<Migration> {
    let (version, description) = name.split_once('_')?;
    let description = description.replace('_', " ").into();
    Some(Migration::new(version.parse().ok()?, description, MigrationType::Simple, sql.into(), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_migration() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let mut files: Vec<_> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(FILES.map(|(name, _)| format!("{name}.sql")).to_vec(), files);
        assert_eq!(migrator().iter().count(), files.len());
    }
}
