-- One request to redeliver or delete a frozen selection of dead letters.

CREATE TABLE operation (
    id              uuid        NOT NULL PRIMARY KEY,
    kind            text        NOT NULL CHECK (kind IN ('redeliver', 'delete')),
    state           text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'completed')),
    selection       jsonb       NOT NULL,
    target          jsonb       NOT NULL,
    rate            integer,
    note            text,
    requested_by    text        NOT NULL,
    idempotency_key text UNIQUE,
    -- Of the whole request: the same key with another request is refused.
    request_hash    uuid        NOT NULL,
    total           bigint      NOT NULL,
    sent            bigint      NOT NULL DEFAULT 0,
    deleted         bigint      NOT NULL DEFAULT 0,
    refused         bigint      NOT NULL DEFAULT 0,
    skipped         bigint      NOT NULL DEFAULT 0,
    last_error      text,
    created_at      timestamptz NOT NULL,
    started_at      timestamptz,
    ended_at        timestamptz,
    -- No chunk begins before: this is how a rate holds between chunks and replicas.
    next_chunk_at   timestamptz NOT NULL
);

CREATE INDEX operation_unfinished_idx ON operation (next_chunk_at) WHERE state <> 'completed';

-- One dead letter in one operation. No foreign key to dead_letter: its partitions are dropped as a whole, and the record
-- of what was done outlives them.
CREATE TABLE operation_item (
    operation_id   uuid   NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    position       bigint NOT NULL,
    dead_letter_id uuid   NOT NULL,
    outcome        text CHECK (outcome IN ('sent', 'deleted', 'refused', 'skipped')),
    detail         text,
    redelivery_id  uuid,
    settled_at     timestamptz,
    PRIMARY KEY (operation_id, position)
);

-- One live operation for each dead letter: this index says so, not a check.
CREATE UNIQUE INDEX operation_item_live_idx ON operation_item (dead_letter_id) WHERE outcome IS NULL;
-- The next chunk of an operation.
CREATE INDEX operation_item_open_idx ON operation_item (operation_id, position) WHERE outcome IS NULL;
-- The history of a dead letter, and of what came back.
CREATE INDEX operation_item_dead_letter_idx ON operation_item (dead_letter_id);
CREATE INDEX operation_item_redelivery_idx ON operation_item (redelivery_id) WHERE redelivery_id IS NOT NULL;
