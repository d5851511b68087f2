-- Deployments: which version of a service ran since when (docs/adr/0046).

CREATE TABLE deployment (
    -- UUID version 7 of when it was told.
    id          uuid             NOT NULL PRIMARY KEY,
    service     text COLLATE "C" NOT NULL,
    -- Empty: none was named.
    environment text COLLATE "C" NOT NULL DEFAULT '',
    version     text COLLATE "C" NOT NULL,
    started_at  timestamptz      NOT NULL,
    -- When the last instance of the version before was gone.
    finished_at timestamptz,
    commit_id   text,
    link        text,
    told_by     text             NOT NULL,
    UNIQUE (service, environment, version, started_at)
);
CREATE INDEX deployment_service_idx ON deployment (service, started_at, id);

ALTER TABLE error_group
    -- The version that is to have fixed it, where one was named.
    ADD COLUMN resolved_version text,
    -- The version after which the next one is to have fixed it.
    ADD COLUMN resolved_after text;
CREATE INDEX error_group_service_idx ON error_group (service);

ALTER TABLE error_group_event ADD COLUMN version text;

-- When the last one died, as far as that is told; NULL where an older version counted.
ALTER TABLE error_group_total ADD COLUMN last_died timestamptz;
ALTER TABLE error_group_change ADD COLUMN last_died timestamptz;

CREATE OR REPLACE VIEW error_group_count AS
    SELECT error_group, arrived, dead, redelivered, deleted, last_seen, COALESCE(last_died, last_seen) AS last_died FROM error_group_total
    UNION ALL
    SELECT error_group, arrived, dead, redelivered, deleted, last_seen, COALESCE(last_died, last_seen) FROM error_group_change;

-- From when on a death in a group that is resolved in a version is a regression: when instances of that version and of later ones run alone.
-- NULL: it is not deployed. Where nobody tells when the rollout has ended, it is given 15 minutes.
CREATE FUNCTION dead_letter_regresses_from(of_service text, resolved timestamptz, in_version text, after_version text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT GREATEST(resolved, min(COALESCE(d.finished_at, d.started_at + interval '15 minutes'))) FROM deployment d
        WHERE d.service = of_service AND CASE
            WHEN in_version IS NOT NULL THEN d.version = in_version
            ELSE d.started_at > resolved AND d.version <> after_version END
        HAVING count(*) > 0);

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
    -- What is not in the rows is kept.
    CREATE TEMPORARY TABLE arrived_before ON COMMIT DROP AS
        SELECT error_group, sum(arrived)::bigint AS arrived, max(last_seen) AS last_seen, max(last_died) AS last_died
        FROM error_group_count GROUP BY error_group;
    DELETE FROM error_group_change;
    DELETE FROM error_group_total;
    DELETE FROM error_group_interval;
    INSERT INTO error_group_total (error_group, arrived, dead, redelivered, deleted, last_seen, last_died)
        SELECT error_group, GREATEST(b.arrived, r.dead + r.redelivered + r.deleted), COALESCE(r.dead, 0),
            COALESCE(r.redelivered, 0), COALESCE(r.deleted, 0), GREATEST(b.last_seen, r.last_seen), b.last_died
        FROM (SELECT error_group, sum(dead)::bigint AS dead, sum(redelivered)::bigint AS redelivered,
                  sum(deleted)::bigint AS deleted, max(last_seen) AS last_seen
              FROM recounted GROUP BY error_group) r
            FULL JOIN arrived_before b USING (error_group);
    INSERT INTO error_group_interval (error_group, start, dead, redelivered, deleted)
        SELECT error_group, start, dead, redelivered, deleted FROM recounted;
    DROP TABLE recounted, arrived_before;
END
$$;
