//! Pages: how many, and from where.

use serde::Deserialize;
use utoipa::IntoParams;

use super::error::ApiError;
use crate::domain::cursor::{Cursor, SearchHash};

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

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageInput {
    /// How many, from 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// From a page's `nextCursor` or `prevCursor`; the other parameters must be the same as for that page.
    #[param(pattern = "^[A-Za-z0-9_-]{35}$")]
    cursor: Option<String>,
}

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
