//! A virtual host of a test's own, where queues may have the names that ours have, and policies harm nobody else.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::{Broker, id};

/// Removed with the value.
pub struct Vhost {
    pub name: String,
    pub url: String,
}

/// `rabbitmqctl` for the shared broker; why not, where it is not ours.
pub fn ctl(arguments: &[&str]) -> Result<String, String> {
    let folder = std::env::var("DEAD_LETTER_SERVERS").map_err(|_| "AMQP_URL is not from servers.sh")?;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
    let output = Command::new(script).args(["ctl", &folder, "--quiet"]).args(arguments).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The URL of a user of the shared broker who has the rights that the service needs (`docs/sources.md`) and no more: it configures nothing
/// but the exchanges that lead to queues by the original routing key. Where users cannot be made, it is that of the shared broker.
pub fn serving_url() -> &'static str {
    static URL: LazyLock<String> = LazyLock::new(|| {
        let shared = Broker::shared_url();
        let (user, configured, all) = ("serving", r"^dead-letter\.to\.", ".*");
        // It may be there from a run before.
        let _ = ctl(&["add_user", user, "secret"]);
        match ctl(&["set_permissions", "-p", "/", user, configured, all, all]) {
            Ok(_) => shared.replace("guest:guest", &format!("{user}:secret")),
            Err(_) => shared,
        }
    });
    &URL
}

impl Vhost {
    /// `None` where there can be none, which is said.
    pub fn create() -> Option<Self> {
        let name = format!("test-{}", id());
        if let Err(why) = ctl(&["add_vhost", &name]) {
            println!("skipped: it needs a virtual host of its own: {why}");
            return None;
        }
        let shared = std::env::var("AMQP_URL").unwrap();
        let url = format!("{}/{name}", shared.rsplit_once('/').unwrap().0);
        let vhost = Self { name, url };
        vhost.permit("guest", [".*", ".*", ".*"]);
        Some(vhost)
    }

    /// The URL of another user, who has these rights: to configure, to write, to read.
    pub fn user(&self, rights: [&str; 3]) -> String {
        ctl(&["add_user", &self.name, "secret"]).unwrap();
        self.permit(&self.name, rights);
        self.url.replace("guest:guest", &format!("{}:secret", self.name))
    }

    fn permit(&self, user: &str, rights: [&str; 3]) {
        ctl(&[&["set_permissions", "-p", &self.name, user], &rights[..]].concat()).unwrap();
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        let _ = ctl(&["delete_vhost", &self.name]);
        let _ = ctl(&["delete_user", &self.name]);
    }
}
