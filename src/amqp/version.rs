//! The broker's version, as far as our settings depend on it.

use std::borrow::Cow;

use super::transport::Connection;
use crate::domain::message::Table;

/// How a broker limits unacknowledged deliveries of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeliveryLimits {
    /// `RabbitMQ` 4: a quorum queue has a limit of 20 by default. A negative limit means none.
    ByDefault,
    /// `RabbitMQ` 3: no limit by default. A negative limit means 0.
    OnlyWhereSet,
    /// Another broker.
    Unknown,
}

/// Product and version of the broker, such as `RabbitMQ 4.0.5`.
pub(super) fn of(connection: &Connection) -> String {
    let said = |name| text(connection.server(), name).unwrap_or_default();
    format!("{} {}", said("product"), said("version"))
}

/// A server property, as text.
pub(super) fn text(server: &Table, name: &str) -> Option<String> {
    server.text(name).map(Cow::into_owned)
}

impl DeliveryLimits {
    /// The limits of this broker.
    pub fn of(connection: &Connection) -> Self {
        Self::by(connection.server())
    }

    fn by(server: &Table) -> Self {
        let major =
            text(server, "version").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        match (text(server, "product").as_deref(), major) {
            (Some("RabbitMQ"), Some(4..)) => Self::ByDefault,
            (Some("RabbitMQ"), Some(_)) => Self::OnlyWhereSet,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Value;

    #[test]
    fn the_version_says_whether_there_is_a_limit_by_default() {
        let broker = |product: &str, version: &str| {
            let mut server = Table::default();
            server.set("product", Value::text(product));
            server.set("version", Value::text(version));
            DeliveryLimits::by(&server)
        };
        assert_eq!(broker("RabbitMQ", "3.13.7"), DeliveryLimits::OnlyWhereSet);
        assert_eq!(broker("RabbitMQ", "4.0.5"), DeliveryLimits::ByDefault);
        assert_eq!(broker("RabbitMQ", "10.0.0-rc.1"), DeliveryLimits::ByDefault);
        assert_eq!(broker("RabbitMQ", "next"), DeliveryLimits::Unknown);
        assert_eq!(broker("LavinMQ", "4.0.0"), DeliveryLimits::Unknown);
        assert_eq!(DeliveryLimits::by(&Table::default()), DeliveryLimits::Unknown);
    }
}
