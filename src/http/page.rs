//! Pages: how many, and from where.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use super::error::ApiError;
use super::query::groups;
use crate::domain::cursor::{Cursor, SearchHash};
use crate::domain::filter::Order;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// The limit that is asked for.
pub fn parse_limit(text: Option<&str>) -> Result<u32, ApiError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ApiError::field("limit", format!("must be a number from 1 to {MAX_LIMIT}")))
}

/// The hash of a list and of what was asked of it, over canonical JSON: a cursor is good on every replica, and after an upgrade.
pub fn list_hash(list: &str, asked: &impl Serialize, order: Order) -> Result<SearchHash, ApiError> {
    let asked = serde_json::to_value(asked).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(SearchHash::new(&format!("2 {list} {asked}"), order))
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageInput {
    /// Maximum number of entries on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// `nextCursor` or `prevCursor` of a page. The other parameters must be the same as for that page.
    #[param(pattern = "^[A-Za-z0-9_-]{35}$")]
    cursor: Option<String>,
}

groups!(PageInput);

impl PageInput {
    /// The limit.
    pub fn limit(&self) -> Result<u32, ApiError> {
        parse_limit(self.limit.as_deref())
    }

    /// The cursor, which must belong to this search.
    pub fn cursor(&self, search: SearchHash) -> Result<Option<Cursor>, ApiError> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let cursor = Cursor::decode(text).ok_or_else(|| {
            ApiError::field(
                "cursor",
                "is not a cursor: use `nextCursor` or `prevCursor` of a page as it stands",
            )
        })?;
        if cursor.search == search {
            Ok(Some(cursor))
        } else {
            Err(ApiError::field("cursor", "belongs to another search: begin again without it"))
        }
    }
}

/// The cursor of the page after this one, of which one entry more than its limit was read; that one is dropped. `place` is where an
/// entry stands in the list.
pub fn cut<T>(
    found: &mut Vec<T>,
    limit: u32,
    search: SearchHash,
    place: impl Fn(&T) -> Uuid,
) -> Option<String> {
    let has_next = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| has_next)?;
    Some(Cursor { backwards: false, id: place(last), search }.encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::filter::FilterInput;
    use crate::http::query::Query;

    /// Clients hold cursors across upgrades.
    #[test]
    fn the_cursor_of_a_known_search_is_the_same_in_every_release() {
        let asked: FilterInput = Query::parse("service=webshop&header.tenant=acme").unwrap().take().unwrap();
        let search = list_hash("dead letters", &asked, Order::Newest).unwrap();
        let cursor = Cursor { backwards: false, id: Uuid::nil(), search };
        assert_eq!(cursor.encode(), "AQAAAAAAAAAAAAAAAAAAAAAAy4Qb4cwxlM4");
    }
}
