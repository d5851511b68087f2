//! The services that messages die in, and who owns them.

use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::StdRng;

use crate::figures;

/// Stream names as they are found in the field: the plain ones, and those with underscores of their own, which make a
/// service's name the part after the *last* underscore of its queue.
const EXCHANGES: &[&str] = &[
    "bankaccount",
    "card",
    "commandstreams_bankaccount",
    "customer",
    "eventstreams_card",
    "ledger",
    "eventstreams_payment",
    "savings",
    "kyc",
];

/// The noisiest first: card clearing is what fills dead-letter queues at the end of a month.
const SERVICES: &[&str] = &[
    "card-clearing",
    "term-deposit",
    "alerts",
    "bankaccounting",
    "statement",
    "merchant-portal",
    "kyc-screening",
    "account",
    "direct-debit",
    "credit-transfer",
    "fraud-scoring",
    "card-lifecycle",
    "customer-profile",
    "tax-reporting",
    "exchange-rates",
    "loan-servicing",
    "push-gateway",
    "document-archive",
    "invoice",
    "subscription",
    "pension",
    "budget",
    "insights",
    "chat",
];

const SQUADS: &[&str] = &[
    "gemini",
    "nasa",
    "apollo",
    "houston",
    "voyager",
    "orion",
    "mercury",
    "pathfinder",
    "soyuz",
    "artemis",
    "hubble",
    "ariane",
];

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) squad: String,
    pub(super) exchange: String,
    pub(super) queue: String,
    /// The service that published to it.
    pub(super) publisher: &'static str,
}

/// All of them, with the odds of each.
#[derive(Debug)]
pub(super) struct Services {
    all: Vec<Service>,
    odds: WeightedIndex<f64>,
}

impl Services {
    pub(super) fn new(services: usize, squads: usize) -> Self {
        let all: Vec<_> = (0..services).map(|index| Service::new(index, squads)).collect();
        // Zipf's law, a little steeper: with 40 services the first three make about half of all messages.
        let weights = (1..=services).map(|rank| figures::real(rank as u64).powf(-1.2));
        let odds = WeightedIndex::new(weights).expect("there is a service, and all weights are positive");
        Self { all, odds }
    }

    pub(super) fn draw(&self, rng: &mut StdRng) -> &Service {
        &self.all[self.odds.sample(rng)]
    }

    pub(super) fn owners(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().map(|service| (service.name.as_str(), service.squad.as_str()))
    }
}

impl Service {
    fn new(index: usize, squads: usize) -> Self {
        let name = numbered(SERVICES, index);
        let exchange = EXCHANGES[index % EXCHANGES.len()];
        Self {
            index,
            squad: numbered(SQUADS, index % squads),
            queue: format!("dev-k8s-{exchange}_{name}"),
            exchange: format!("dev-k8s-{exchange}"),
            // Some other service, and never the one that consumes.
            publisher: SERVICES[(index + 7) % SERVICES.len()],
            name,
        }
    }
}

/// Names in order, and once they are used up, the same ones with a number.
fn numbered(names: &[&str], index: usize) -> String {
    let name = names[index % names.len()];
    match index / names.len() {
        0 => name.to_owned(),
        round => format!("{name}-{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Services;

    #[test]
    fn services_and_squads_are_as_many_as_asked_for() {
        let services = Services::new(100, 15);
        let names: HashSet<_> = services.owners().map(|(service, _)| service).collect();
        let squads: HashSet<_> = services.owners().map(|(_, squad)| squad).collect();
        assert_eq!((names.len(), squads.len()), (100, 15));
    }

    #[test]
    fn a_service_is_what_follows_the_last_underscore() {
        for service in &Services::new(60, 5).all {
            let (_, name) = service.queue.rsplit_once('_').expect("an underscore");
            assert_eq!(name, service.name);
            assert_eq!(service.queue, format!("{}_{}", service.exchange, service.name));
        }
    }
}
