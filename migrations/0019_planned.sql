-- How many dead letters a plan has frozen, for the limit of each caller. 0: made by an older release, or its rows are removed.
ALTER TABLE operation_plan ADD COLUMN items bigint NOT NULL DEFAULT 0;
CREATE INDEX operation_plan_requester_idx ON operation_plan (requested_by_id, expires_at);
CREATE INDEX operation_live_requester_idx ON operation (requested_by_id) WHERE state NOT IN ('completed', 'cancelled');
