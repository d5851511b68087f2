//! The planted bug of a selection that is not frozen.

use super::StoreError;
use super::lease::Lease;
use crate::domain::operation::Operation;
use crate::planted::{Bug, planted};

/// Adds what was stored since, of the service that the operation's filter names.
pub(super) async fn add_what_came_since(
    connection: &mut Lease,
    operation: &Operation,
) -> Result<(), StoreError> {
    if !planted(Bug::SelectionNotFrozen) {
        return Ok(());
    }
    sqlx::query(
        "WITH added AS ( \
             INSERT INTO operation_item (operation_id, position, dead_letter_id) \
             SELECT o.id, o.total + row_number() OVER (ORDER BY d.id), d.id \
             FROM operation o JOIN dead_letter d ON d.service = o.selection -> 'filter' ->> 'service' \
             WHERE o.id = $1 AND d.status = 'dead' AND NOT EXISTS ( \
                 SELECT FROM operation_item i WHERE i.operation_id = o.id AND i.dead_letter_id = d.id) \
             ON CONFLICT DO NOTHING RETURNING 1) \
         UPDATE operation SET total = total + (SELECT count(*) FROM added) WHERE id = $1",
    )
    .bind(operation.id)
    .execute(connection)
    .await?;
    Ok(())
}
