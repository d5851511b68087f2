-- An operation keeps the ids of its dead letters in arrays, some hundreds to a row, and what became of them as runs of neighbours that
-- ended alike (docs/adr/0030).

CREATE TYPE uuid_range AS RANGE (subtype = uuid);

-- Dead letters of an operation, in the order in which it acts on them.
CREATE TABLE operation_chunk (
    operation_id   uuid       NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    first_position bigint     NOT NULL,
    last_position  bigint     NOT NULL,
    dead_letters   uuid[]     NOT NULL,
    -- From their least id to their greatest.
    span           uuid_range NOT NULL,
    -- How the redelivery ids are made: 1 as in the version before, 2 as since then.
    id_scheme      smallint   NOT NULL DEFAULT 2,
    -- How many have no outcome yet.
    open           integer    NOT NULL CHECK (open BETWEEN 0 AND last_position - first_position + 1),
    PRIMARY KEY (operation_id, first_position)
);

-- Neighbours within a chunk that ended alike, at the same time. No foreign key: workers beside each other would all lock the operation.
CREATE TABLE operation_run (
    operation_id   uuid        NOT NULL,
    first_position bigint      NOT NULL,
    last_position  bigint      NOT NULL,
    outcome        text        NOT NULL CHECK (outcome IN ('sent', 'deleted', 'restored', 'refused', 'skipped')),
    detail         text,
    settled_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (operation_id, first_position),
    CHECK (last_position >= first_position)
);

-- One live operation for each dead letter: this key says so, not a check.
CREATE TABLE operation_claim (
    dead_letter_id uuid NOT NULL PRIMARY KEY,
    operation_id   uuid NOT NULL
);

-- The ids that the version before published messages with.
CREATE TABLE former_redelivery (
    id             uuid   NOT NULL PRIMARY KEY,
    operation_id   uuid   NOT NULL,
    position       bigint NOT NULL,
    dead_letter_id uuid   NOT NULL
);

-- Of what an operation sent: what died again.
CREATE TABLE operation_return (
    operation_id   uuid        NOT NULL,
    position       bigint      NOT NULL,
    dead_letter_id uuid        NOT NULL,
    returned_as    uuid        NOT NULL,
    returned_group uuid,
    sent_at        timestamptz NOT NULL,
    PRIMARY KEY (operation_id, position)
);

LOCK TABLE operation, operation_item, dead_letter_return IN ACCESS EXCLUSIVE MODE;

CREATE TEMPORARY TABLE former_item ON COMMIT DROP AS
    SELECT *, row_number() OVER (PARTITION BY operation_id ORDER BY position) AS number, CASE outcome WHEN 'returned' THEN 'sent' ELSE outcome END AS ended
    FROM operation_item;
-- Their places have no gaps; if some had, none would share a chunk.
INSERT INTO operation_chunk (operation_id, first_position, last_position, dead_letters, id_scheme, open, span)
    SELECT operation_id, first_position, last_position, dead_letters, 1, open,
        uuid_range(LEAST(dead_letters[1], dead_letters[cardinality(dead_letters)]), GREATEST(dead_letters[1], dead_letters[cardinality(dead_letters)]), '[]')
    FROM (SELECT operation_id, min(position) AS first_position, max(position) AS last_position,
              array_agg(dead_letter_id ORDER BY position) AS dead_letters, count(*) FILTER (WHERE outcome IS NULL) AS open
          FROM former_item GROUP BY operation_id, (position - 1) / 250, position - number) chunks;
INSERT INTO operation_run (operation_id, first_position, last_position, outcome, detail, settled_at)
    SELECT operation_id, min(position), max(position), ended, detail, settled_at
    FROM (SELECT *, position - row_number() OVER (PARTITION BY operation_id, (position - 1) / 250, ended, detail, settled_at ORDER BY position) AS island
          FROM former_item WHERE outcome IS NOT NULL) ended
    GROUP BY operation_id, (position - 1) / 250, ended, detail, settled_at, island;
INSERT INTO operation_claim (dead_letter_id, operation_id) SELECT dead_letter_id, operation_id FROM former_item WHERE outcome IS NULL;
INSERT INTO former_redelivery (id, operation_id, position, dead_letter_id)
    SELECT redelivery_id, operation_id, position, dead_letter_id FROM former_item WHERE redelivery_id IS NOT NULL ON CONFLICT DO NOTHING;
INSERT INTO operation_return (operation_id, position, dead_letter_id, returned_as, returned_group, sent_at)
    SELECT operation_id, position, dead_letter_id, returned_as, returned_group, settled_at FROM former_item WHERE outcome = 'returned';
DROP TABLE former_item, operation_item;

-- The chunks that are not done.
CREATE INDEX operation_chunk_open_idx ON operation_chunk (operation_id, first_position) WHERE open > 0;
-- The history of a dead letter.
CREATE INDEX operation_chunk_span_idx ON operation_chunk USING gist (span);
-- What the messages died of, and which dead letters did.
CREATE INDEX operation_return_group_idx ON operation_return (operation_id, returned_group);
CREATE INDEX operation_return_dead_letter_idx ON operation_return (dead_letter_id);

-- The id that an operation publishes a dead letter with: as the domain's `redelivery_id` makes it. Since scheme 2 it begins with the time
-- that the dead letter's id begins with, by which `dead_letter_redelivery` finds it.
CREATE FUNCTION dead_letter_redelivery_id(operation uuid, dead_letter uuid, scheme smallint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT encode(set_byte(set_byte(id, 6, get_byte(id, 6) & 15 | 128), 8, get_byte(id, 8) & 63 | 128), 'hex')::uuid
    FROM (SELECT CASE scheme WHEN 1 THEN substring(hash FOR 16) ELSE substring(uuid_send(dead_letter) FOR 6) || substring(hash FROM 7 FOR 10) END AS id
        FROM (SELECT sha256(CASE scheme WHEN 1 THEN 'dead-letter redelivery 1'::bytea ELSE 'dead-letter redelivery 2'::bytea END
            || uuid_send(operation) || uuid_send(dead_letter)) AS hash) hashed) made
$$;

-- The items that are published with this id: one, or none.
CREATE FUNCTION dead_letter_redelivery(wanted uuid) RETURNS TABLE (operation_id uuid, "position" bigint, dead_letter_id uuid)
    LANGUAGE sql STABLE AS $$
    SELECT r.operation_id, r.position, r.dead_letter_id FROM former_redelivery r WHERE r.id = wanted
    UNION ALL
    SELECT c.operation_id, c.first_position + i.number - 1, i.id
    FROM (SELECT encode(substring(uuid_send(wanted) FOR 6) || '\x00000000000000000000'::bytea, 'hex')::uuid AS first,
              encode(substring(uuid_send(wanted) FOR 6) || '\xffffffffffffffffffff'::bytea, 'hex')::uuid AS last) r
        JOIN operation_chunk c ON c.span && uuid_range(r.first, r.last, '[]') AND c.id_scheme = 2
        CROSS JOIN LATERAL unnest(c.dead_letters) WITH ORDINALITY AS i (id, number)
    WHERE i.id BETWEEN r.first AND r.last AND dead_letter_redelivery_id(c.operation_id, i.id, 2::smallint) = wanted
$$;

-- Each dead letter of an operation, and what became of it. To be read by the chunk.
CREATE VIEW operation_item AS
    SELECT c.operation_id, c.first_position AS chunk, p.position, i.dead_letter_id,
        CASE WHEN t.position IS NULL THEN r.outcome ELSE 'returned' END AS outcome, r.detail, r.settled_at,
        CASE WHEN r.outcome IN ('sent', 'refused') THEN dead_letter_redelivery_id(c.operation_id, i.dead_letter_id, c.id_scheme) END AS redelivery_id, t.returned_as
    FROM operation_chunk c
        CROSS JOIN LATERAL unnest(c.dead_letters) WITH ORDINALITY AS i (dead_letter_id, number)
        CROSS JOIN LATERAL (SELECT c.first_position + i.number - 1 AS position) p
        LEFT JOIN LATERAL (
            SELECT * FROM operation_run n
            WHERE n.operation_id = c.operation_id AND n.first_position BETWEEN c.first_position AND p.position
            ORDER BY n.first_position DESC LIMIT 1) r ON r.last_position >= p.position
        LEFT JOIN operation_return t ON t.operation_id = c.operation_id AND t.position = p.position;
