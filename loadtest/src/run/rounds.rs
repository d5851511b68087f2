//! Rounds: contenders take turns, several times, so that a noisy moment of the machine hits them all alike; rounds in which
//! it stole too much are repeated. What counts are medians, their spread, and ratios within a round.

use std::time::Duration;

use super::cpu::{Usage, cores};
use crate::figures::{per_second, real};
use crate::report::Table;

/// Of the processor's time in a run, the share that may be stolen before the run is repeated.
const STOLEN: f64 = 0.05;

/// One measured run of one contender.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Messages that were moved.
    pub messages: u64,
    /// In this time.
    pub took: Duration,
    /// What it cost.
    pub cpu: Usage,
}

impl Run {
    /// Messages a second.
    pub fn rate(&self) -> f64 {
        per_second(self.messages, self.took)
    }

    /// The share of all processors' time that was stolen.
    pub fn stolen(&self) -> f64 {
        self.cpu.stolen / (self.took.as_secs_f64() * real(cores() as u64)).max(f64::MIN_POSITIVE)
    }

    /// Whether the machine was too busy with others for this run to count.
    pub fn is_noisy(&self) -> bool {
        self.stolen() > STOLEN
    }

    /// Microseconds of processor a message.
    fn micros(&self, seconds: f64) -> f64 {
        seconds * 1e6 / real(self.messages.max(1))
    }
}

/// All runs of one contender, one for each round.
#[derive(Clone, Debug)]
pub struct Contender {
    /// What it is.
    pub name: String,
    /// Its runs that count.
    pub runs: Vec<Run>,
    /// How many were repeated because of stolen time.
    pub repeated: usize,
}

/// Middle, least and greatest of some figures.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    /// Of figures in any order; `None` of none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, greatest) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, least, greatest })
    }

    /// As `0.84 (0.79–0.88)`.
    pub fn text(&self, digits: usize) -> String {
        let Self { median, least, greatest } = self;
        format!("{median:.digits$} ({least:.digits$}–{greatest:.digits$})")
    }
}

impl Contender {
    /// One that has not run.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), runs: Vec::new(), repeated: 0 }
    }

    /// Rates.
    pub fn rate(&self) -> Option<Spread> {
        Spread::of(self.runs.iter().map(Run::rate))
    }

    /// This one's rate over another's, round by round.
    pub fn ratio_to(&self, other: &Self) -> Option<Spread> {
        Spread::of(self.runs.iter().zip(&other.runs).map(|(ours, theirs)| ours.rate() / theirs.rate()))
    }
}

/// The contenders' rates and costs.
pub fn table(title: &str, contenders: &[&Contender]) -> Table {
    let columns =
        ["", "messages/s", "spread", "runs", "broker µs", "database µs", "service µs", "tool µs", "stolen %"];
    let row = |contender: &&Contender| {
        let micros = |of: fn(&Usage) -> f64| {
            Spread::of(contender.runs.iter().map(|run| run.micros(of(&run.cpu))))
                .map_or_else(String::new, |spread| format!("{:.1}", spread.median))
        };
        let rate = contender.rate();
        let stolen = Spread::of(contender.runs.iter().map(|run| run.stolen() * 100.0));
        let repeated = if contender.repeated > 0 {
            format!(" (+{} repeated)", contender.repeated)
        } else {
            String::new()
        };
        vec![
            contender.name.clone(),
            rate.map_or_else(|| "–".into(), |rate| format!("{:.0}", rate.median)),
            rate.map_or_else(String::new, |rate| format!("{:.0}–{:.0}", rate.least, rate.greatest)),
            format!("{}{repeated}", contender.runs.len()),
            micros(|cpu| cpu.broker),
            micros(|cpu| cpu.database),
            micros(|cpu| cpu.service),
            micros(|cpu| cpu.tool),
            stolen.map_or_else(String::new, |stolen| format!("{:.1}", stolen.median)),
        ]
    };
    Table {
        title: title.into(),
        columns: columns.map(String::from).into(),
        rows: contenders.iter().map(row).collect(),
        note: "Medians over the rounds; µs are processor time a message, by process. The tool publishes, or is itself \
               the contender."
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).expect("some");
        assert_eq!(spread.text(1), "2.5 (1.0–4.0)");
        assert!(Spread::of([]).is_none());
    }

    #[test]
    fn stolen_time_is_a_share_of_all_processors() {
        let stolen = real(cores() as u64) * 0.06;
        let run =
            Run { messages: 1, took: Duration::from_secs(1), cpu: Usage { stolen, ..Usage::default() } };
        assert!(run.is_noisy());
    }
}
