-- A dead letter never changes once it is stored: where it stands is in narrow tables beside it, so that an operation rewrites no
-- payload and none of its index entries (docs/adr/0029). Each is in exactly one of the two, `dead_letter_pending` or `dead_letter_left`.
--
-- Replicas of the version before cannot go on: a column that they write has another name, as nobody would find what they stored. Their
-- readiness says no, and they keep what they have in hand until they end.

-- Those that are dead: what pages and operations look for.
CREATE TABLE dead_letter_pending (
    id          uuid             NOT NULL PRIMARY KEY,
    service     text COLLATE "C" NOT NULL,
    error_group uuid,
    trigrams    bigint           NOT NULL
) PARTITION BY RANGE (id);
CREATE TABLE dead_letter_pending_default PARTITION OF dead_letter_pending DEFAULT;

-- The others, and what became of them.
CREATE TABLE dead_letter_left (
    id     uuid               NOT NULL PRIMARY KEY,
    status dead_letter_status NOT NULL CHECK (status <> 'dead')
) PARTITION BY RANGE (id);
CREATE TABLE dead_letter_left_default PARTITION OF dead_letter_left DEFAULT;

-- Makes the partitions of a UTC day; says whether it had to.
CREATE OR REPLACE FUNCTION dead_letter_create_partition(day date) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    suffix text := '_' || to_char(day, 'YYYYMMDD');
    made boolean := false;
BEGIN
    IF to_regclass('dead_letter' || suffix) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF dead_letter FOR VALUES FROM (%L) TO (%L) WITH (toast_tuple_target = 4080)',
            'dead_letter' || suffix, dead_letter_floor_id(day), dead_letter_floor_id(day + 1));
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (identity) WHERE identity IS NOT NULL',
            'dead_letter' || suffix || '_identity_idx', 'dead_letter' || suffix);
        made := true;
    END IF;
    IF to_regclass('dead_letter_pending' || suffix) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF dead_letter_pending FOR VALUES FROM (%L) TO (%L)',
            'dead_letter_pending' || suffix, dead_letter_floor_id(day), dead_letter_floor_id(day + 1));
        EXECUTE format('CREATE TABLE %I PARTITION OF dead_letter_left FOR VALUES FROM (%L) TO (%L)',
            'dead_letter_left' || suffix, dead_letter_floor_id(day), dead_letter_floor_id(day + 1));
    END IF;
    RETURN made;
END
$$;

LOCK TABLE dead_letter IN ACCESS EXCLUSIVE MODE;
SELECT dead_letter_create_partition(to_date(right(relname, 8), 'YYYYMMDD'))
    FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = 'dead_letter'::regclass AND relname ~ '^dead_letter_[0-9]{8}$';

ALTER TABLE dead_letter RENAME COLUMN error_trigrams TO trigrams;
INSERT INTO dead_letter_pending (id, service, error_group, trigrams) SELECT id, service, error_group, trigrams FROM dead_letter WHERE status = 'dead';
INSERT INTO dead_letter_left (id, status) SELECT id, status FROM dead_letter WHERE status <> 'dead';

-- The page of a service or a squad, and where its oldest and newest dead letters are.
CREATE INDEX dead_letter_pending_service_idx ON dead_letter_pending (service, id);
-- The page of a group; the signatures beside it say which rows of a group are worth a look for a text.
CREATE INDEX dead_letter_pending_error_group_idx ON dead_letter_pending (error_group, id) INCLUDE (trigrams);

-- With its partial indexes.
ALTER TABLE dead_letter DROP COLUMN status;

-- Each dead letter, and where it stands now.
CREATE VIEW dead_letter_now AS
    SELECT d.*, COALESCE(l.status, 'dead') AS status FROM dead_letter d LEFT JOIN dead_letter_left l ON l.id = d.id;

-- Counts everything anew. Nobody else writes meanwhile.
CREATE OR REPLACE FUNCTION dead_letter_rebuild_counters() RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE dead_letter, dead_letter_pending, dead_letter_left, error_group, error_group_total, error_group_interval, error_group_change
        IN SHARE ROW EXCLUSIVE MODE;
    CREATE TEMPORARY TABLE recounted ON COMMIT DROP AS
        SELECT COALESCE(error_group, '00000000-0000-0000-0000-000000000000') AS error_group,
            date_trunc('hour', dead_letter_received_at(id), 'UTC') AS start,
            min(service) AS service, min(reason) AS reason, min(error_type) AS error_type,
            min(dead_letter_received_at(id)) AS first_seen, max(dead_letter_received_at(id)) AS last_seen,
            count(*) FILTER (WHERE status = 'dead') AS dead,
            count(*) FILTER (WHERE status = 'redelivered') AS redelivered,
            count(*) FILTER (WHERE status = 'deleted') AS deleted
        FROM dead_letter_now GROUP BY 1, 2;
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
