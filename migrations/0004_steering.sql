-- Plans, and the steering of what runs.

-- A selection that is frozen and may be run until it expires. The operation that runs it has its id.
CREATE TABLE operation_plan (
    id           uuid        NOT NULL PRIMARY KEY,
    -- The request, for the record and to be run.
    kind         text        NOT NULL CHECK (kind IN ('redeliver', 'delete', 'restore')),
    selection    jsonb       NOT NULL,
    options      jsonb       NOT NULL,
    requested_by text        NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX operation_plan_expiry_idx ON operation_plan (expires_at);

CREATE TABLE operation_plan_item (
    plan_id        uuid NOT NULL REFERENCES operation_plan (id) ON DELETE CASCADE,
    dead_letter_id uuid NOT NULL,
    PRIMARY KEY (plan_id, dead_letter_id)
);

ALTER TABLE operation
    DROP CONSTRAINT operation_kind_check,
    ADD CONSTRAINT operation_kind_check CHECK (kind IN ('redeliver', 'delete', 'restore')),
    DROP CONSTRAINT operation_state_check,
    ADD CONSTRAINT operation_state_check
        CHECK (state IN ('pending', 'running', 'paused', 'cancelling', 'cancelled', 'completed')),
    ADD COLUMN restored bigint NOT NULL DEFAULT 0,
    -- A canary ladder: after so many in all it waits, and goes on if few enough came back.
    ADD COLUMN canary_steps bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN canary_wait bigint NOT NULL DEFAULT 0,
    ADD COLUMN canary_max_failed double precision NOT NULL DEFAULT 0,
    -- The last step that it has passed.
    ADD COLUMN canary_passed bigint NOT NULL DEFAULT 0,
    -- It waits while a target queue has more ready messages.
    ADD COLUMN max_queue_depth bigint;

DROP INDEX operation_unfinished_idx;
CREATE INDEX operation_due_idx ON operation (next_chunk_at) WHERE state IN ('pending', 'running', 'cancelling');

ALTER TABLE operation_item
    DROP CONSTRAINT operation_item_outcome_check,
    ADD CONSTRAINT operation_item_outcome_check
        CHECK (outcome IN ('sent', 'returned', 'deleted', 'restored', 'refused', 'skipped'));

-- Who steered an operation, and how (rule R13).
CREATE TABLE operation_event (
    id           uuid NOT NULL PRIMARY KEY,
    operation_id uuid NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    action       text NOT NULL CHECK (action IN ('pause', 'resume', 'cancel', 'rate', 'canary')),
    detail       text,
    done_by      text NOT NULL
);
CREATE INDEX operation_event_idx ON operation_event (operation_id, id);
