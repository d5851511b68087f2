-- The role that serves need not own the tables: what only their owner can do, it does through these functions. Then it cannot change
-- what it must not, such as the audit.
CREATE FUNCTION dead_letter_drop_days(days date[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'DROP TABLE ' || (
        SELECT string_agg(format('%I', parent || '_' || to_char(day, 'YYYYMMDD')), ', ')
        FROM unnest(days) AS d (day), unnest(ARRAY['dead_letter', 'dead_letter_pending', 'dead_letter_left']) AS p (parent));
END
$$;

-- Analyses the tables that have more changes than rows. A sample of a tenth is enough for what doubles, and is read in a moment.
CREATE FUNCTION dead_letter_analyze_grown(minimum bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    tables text;
    grown bigint;
BEGIN
    SELECT string_agg(c.oid::regclass::text, ', '), count(*) INTO tables, grown
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE (c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY(
            ARRAY['dead_letter', 'dead_letter_pending', 'dead_letter_left']::regclass[]))
        OR c.oid = ANY(ARRAY['operation_claim', 'operation_chunk', 'operation_run']::regclass[]))
        AND s.n_mod_since_analyze > GREATEST(minimum, c.reltuples);
    IF grown > 0 THEN
        PERFORM set_config('default_statistics_target', '10', true);
        EXECUTE 'ANALYZE ' || tables;
    END IF;
    RETURN grown;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'dead_letter_create_partition(date)', 'dead_letter_drop_days(date[])', 'dead_letter_analyze_grown(bigint)']
    LOOP
        -- Temporary tables last: a caller's own must not stand in for ours.
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END
$$;
