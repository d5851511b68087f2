-- In which order an operation sends, with which routing key, whether it sends once more, and which chunks were begun without an end.

ALTER TABLE operation
    -- What an older version made keeps no order at its queues.
    ADD COLUMN item_order text NOT NULL DEFAULT 'any' CHECK (item_order IN ('newest', 'oldest', 'any')),
    ADD COLUMN routing_key text NOT NULL DEFAULT 'queue' CHECK (routing_key IN ('queue', 'original')),
    -- It acts on what was redelivered before.
    ADD COLUMN again boolean NOT NULL DEFAULT false;

-- The chunk that a worker has begun, committed before it acts. It is taken away in the transaction that records the chunk: one
-- that stays tells of a worker that died in the middle.
CREATE TABLE operation_begin (
    operation_id   uuid        NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    worker         uuid        NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    begun_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operation_id, worker)
) WITH (fillfactor = 50);
