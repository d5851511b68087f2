-- Error groups: dead letters of one service that failed for the same reason, with counters that groups, overviews and
-- histograms read. `dead_letter_counter` is no longer read; it stays for replicas of the version before, which write it.

-- A Bloom signature of the parts of the error's text that differ within its group. Of older rows all bits are set: any text
-- may be within them.
ALTER TABLE dead_letter ADD COLUMN error_trigrams bigint NOT NULL DEFAULT -1;

-- The page of a group; the signatures beside it say which rows of a group are worth a look for a text.
CREATE INDEX dead_letter_error_group_idx ON dead_letter (error_group, id) INCLUDE (error_trigrams)
    WHERE status = 'dead';

CREATE TABLE error_group (
    id          uuid             NOT NULL PRIMARY KEY,
    version     smallint         NOT NULL,
    service     text COLLATE "C" NOT NULL,
    reason      text,
    error_type  text,
    -- The error's text without what differs; NULL where it is not known: of groups of the version before.
    template    text,
    first_seen  timestamptz      NOT NULL,
    -- When a writer last made sure that it is there: it is not forgotten soon after.
    touched_at  timestamptz      NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    -- Muted until this time, or until so many have arrived since the group was made.
    muted_until timestamptz,
    muted_up_to bigint
);

-- What people did with a group.
CREATE TABLE error_group_event (
    id          uuid NOT NULL PRIMARY KEY,
    error_group uuid NOT NULL REFERENCES error_group (id) ON DELETE CASCADE,
    action      text NOT NULL CHECK (action IN ('resolve', 'reopen', 'mute', 'note')),
    note        text,
    muted_until timestamptz,
    muted_count bigint,
    done_by     text NOT NULL
);
CREATE INDEX error_group_event_idx ON error_group_event (error_group, id);

-- How many dead letters of a group there are, by status. `arrived` never goes down.
CREATE TABLE error_group_total (
    error_group uuid        NOT NULL PRIMARY KEY,
    arrived     bigint      NOT NULL DEFAULT 0,
    dead        bigint      NOT NULL DEFAULT 0,
    redelivered bigint      NOT NULL DEFAULT 0,
    deleted     bigint      NOT NULL DEFAULT 0,
    last_seen   timestamptz
) WITH (fillfactor = 50);

-- The same by time of arrival: of the last two days by five minutes, of those before by the hour.
CREATE TABLE error_group_interval (
    error_group uuid        NOT NULL,
    start       timestamptz NOT NULL,
    dead        bigint      NOT NULL DEFAULT 0,
    redelivered bigint      NOT NULL DEFAULT 0,
    deleted     bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (error_group, start)
) WITH (fillfactor = 50);
CREATE INDEX error_group_interval_start_idx ON error_group_interval (start);

-- What the two lack: written in the transactions that change the rows, and added to them every few seconds. Without an index,
-- and never updated: the cheapest way to count, and nobody waits for anybody.
CREATE TABLE error_group_change (
    error_group uuid        NOT NULL,
    start       timestamptz NOT NULL,
    arrived     bigint      NOT NULL,
    dead        bigint      NOT NULL,
    redelivered bigint      NOT NULL,
    deleted     bigint      NOT NULL,
    last_seen   timestamptz
);

-- The counters as they are at this moment. Several rows may have the same key: only their sum counts.
CREATE VIEW error_group_count AS
    SELECT error_group, arrived, dead, redelivered, deleted, last_seen FROM error_group_total
    UNION ALL SELECT error_group, arrived, dead, redelivered, deleted, last_seen FROM error_group_change;
CREATE VIEW error_group_timeline AS
    SELECT error_group, start, dead, redelivered, deleted FROM error_group_interval
    UNION ALL SELECT error_group, start, dead, redelivered, deleted FROM error_group_change;

-- The moment in which an id was made.
CREATE FUNCTION dead_letter_received_at(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0);

-- Counts everything anew. Nobody else writes meanwhile.
CREATE FUNCTION dead_letter_rebuild_counters() RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE dead_letter, error_group, error_group_total, error_group_interval, error_group_change IN SHARE ROW EXCLUSIVE MODE;
    CREATE TEMPORARY TABLE recounted ON COMMIT DROP AS
        SELECT COALESCE(error_group, '00000000-0000-0000-0000-000000000000') AS error_group,
            date_trunc('hour', dead_letter_received_at(id), 'UTC') AS start,
            min(service) AS service, min(reason) AS reason, min(error_type) AS error_type,
            min(dead_letter_received_at(id)) AS first_seen, max(dead_letter_received_at(id)) AS last_seen,
            count(*) FILTER (WHERE status = 'dead') AS dead,
            count(*) FILTER (WHERE status = 'redelivered') AS redelivered,
            count(*) FILTER (WHERE status = 'deleted') AS deleted
        FROM dead_letter GROUP BY 1, 2;
    INSERT INTO error_group (id, version, service, reason, error_type, first_seen)
        SELECT error_group, 1, min(service), min(reason), min(error_type), min(first_seen)
        FROM recounted GROUP BY error_group
        ON CONFLICT DO NOTHING;
    CREATE TEMPORARY TABLE arrived_before ON COMMIT DROP AS
        SELECT error_group, sum(arrived)::bigint AS arrived, max(last_seen) AS last_seen
        FROM error_group_count GROUP BY error_group;
    DELETE FROM error_group_change;
    DELETE FROM error_group_total;
    DELETE FROM error_group_interval;
    INSERT INTO error_group_total (error_group, arrived, dead, redelivered, deleted, last_seen)
        SELECT error_group, GREATEST(b.arrived, r.dead + r.redelivered + r.deleted), COALESCE(r.dead, 0),
            COALESCE(r.redelivered, 0), COALESCE(r.deleted, 0), GREATEST(b.last_seen, r.last_seen)
        FROM (SELECT error_group, sum(dead)::bigint AS dead, sum(redelivered)::bigint AS redelivered,
                  sum(deleted)::bigint AS deleted, max(last_seen) AS last_seen
              FROM recounted GROUP BY error_group) r
            FULL JOIN arrived_before b USING (error_group);
    INSERT INTO error_group_interval (error_group, start, dead, redelivered, deleted)
        SELECT error_group, start, dead, redelivered, deleted FROM recounted;
    DROP TABLE recounted, arrived_before;
END
$$;

SELECT dead_letter_rebuild_counters();

-- A message that we redelivered and that died again, until the item that it belongs to knows of it.
CREATE TABLE dead_letter_return (
    dead_letter_id uuid NOT NULL PRIMARY KEY,
    redelivery_id  uuid NOT NULL,
    error_group    uuid
);

ALTER TABLE operation ADD COLUMN returned bigint NOT NULL DEFAULT 0;
ALTER TABLE operation_item
    ADD COLUMN returned_as uuid,
    ADD COLUMN returned_group uuid,
    DROP CONSTRAINT operation_item_outcome_check,
    ADD CONSTRAINT operation_item_outcome_check
        CHECK (outcome IN ('sent', 'returned', 'deleted', 'refused', 'skipped'));
-- What came back of an operation.
CREATE INDEX operation_item_returned_idx ON operation_item (operation_id, returned_group) WHERE outcome = 'returned';
