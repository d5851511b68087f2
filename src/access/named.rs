//! Principals and groups, as the policy names them.

use anyhow::ensure;

use super::Principal;
use crate::ownership::short_group;

/// Prefix of a group among the principals of a grant.
const GROUP: &str = "group:";

/// Whether the principal is among these.
pub(super) fn among(list: &[String], principal: &Principal) -> bool {
    list.iter().any(|to| match to.strip_prefix(GROUP) {
        Some(group) => principal.groups.iter().any(|of| of == group),
        None => to == "everyone" || *to == principal.id,
    })
}

/// Refuses what is the name of nobody.
pub(super) fn check_name(to: &str) -> anyhow::Result<()> {
    let is_principal =
        to.split_once([':', '|']).is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty());
    ensure!(
        to == "everyone" || is_principal,
        "`{to}` is nobody: write everyone, anonymous, group:NAME, user:NAMESPACE/NAME, token:NAME, or ISSUER|SUBJECT"
    );
    Ok(())
}

/// With groups by their short names.
pub(super) fn shorten(list: &mut [String]) {
    for to in list.iter_mut().filter(|to| to.starts_with(GROUP)) {
        *to = format!("{GROUP}{}", short_group(to));
    }
}
