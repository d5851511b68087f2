-- Who asked, by what identifies them: names may change, and somebody else may take them. Empty: a caller who had not signed in, or an older
-- release. An idempotency key belongs to its caller, so that nobody finds out the operations of others by guessing keys.
ALTER TABLE operation ADD COLUMN requested_by_id text NOT NULL DEFAULT '';
ALTER TABLE operation_plan ADD COLUMN requested_by_id text NOT NULL DEFAULT '';
ALTER TABLE operation DROP CONSTRAINT operation_idempotency_key_key;
CREATE UNIQUE INDEX operation_idempotency_key ON operation (requested_by_id, idempotency_key);
