//! Limits of what one caller may ask for.

use clap::Args;

use crate::domain::limit::Limit;
use crate::store::Bounds;

/// Settings of what one caller may ask for. A caller is a principal, or the address of callers without a token.
#[derive(Args, Clone, Debug)]
pub struct LimitsConfig {
    /// Requests per second of one caller, or `off`. Ten times as many may come at once
    #[arg(long, env = "DEAD_LETTER_REQUESTS_PER_SECOND", default_value = "200")]
    pub requests_per_second: Limit,
    /// Requests per minute of one caller that plan, start or steer something, or `off`
    #[arg(long, env = "DEAD_LETTER_ACTS_PER_MINUTE", default_value = "1200")]
    pub acts_per_minute: Limit,
    /// Requests per minute without a valid token from one address, where one is needed, or `off`. Further ones are answered with 429
    /// instead of 401, and are neither logged nor in the audit
    #[arg(long, env = "DEAD_LETTER_REFUSED_SIGN_INS_PER_MINUTE", default_value = "600")]
    pub refused_sign_ins_per_minute: Limit,
    /// Plans of one caller that can still be run, or `off`
    #[arg(long, env = "DEAD_LETTER_PLANS_PER_CALLER", default_value = "100")]
    pub plans_per_caller: Limit,
    /// Dead letters in all plans of one caller of the last 15 minutes, or `off`. A single plan may have any number
    #[arg(long, env = "DEAD_LETTER_PLANNED_PER_CALLER", default_value = "5000000")]
    pub planned_per_caller: Limit,
    /// Operations of one caller that have not ended, or `off`
    #[arg(long, env = "DEAD_LETTER_OPERATIONS_PER_CALLER", default_value = "500")]
    pub operations_per_caller: Limit,
    /// Operations that one caller follows at the same time (server-sent events), or `off`
    #[arg(long, env = "DEAD_LETTER_STREAMS_PER_CALLER", default_value = "250")]
    pub streams_per_caller: Limit,
}

impl LimitsConfig {
    /// What one caller may have.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            plans: self.plans_per_caller,
            planned: self.planned_per_caller,
            operations: self.operations_per_caller,
        }
    }
}
