-- One row for each death of one message.
--
-- The id is a UUID version 7 of the arrival: the primary key is the keyset cursor, and days of arrival are ranges of
-- ids. What is derived from the message is nullable; the bytes (properties in AMQP's wire encoding, body) are the truth.

CREATE TYPE dead_letter_status AS ENUM ('dead', 'redelivered', 'deleted');

CREATE TABLE dead_letter (
    id                 uuid               NOT NULL PRIMARY KEY,
    identity           uuid,
    status             dead_letter_status NOT NULL DEFAULT 'dead',
    deaths             integer            NOT NULL DEFAULT 0,
    died_at            timestamptz,
    redelivery_id      uuid,
    error_group        uuid,
    source             text               NOT NULL,
    -- Compared as bytes, which is fast, and which no update of the operating system's locales changes.
    service            text COLLATE "C"   NOT NULL,
    origin_queue       text,
    origin_exchange    text,
    origin_routing_key text,
    reason             text,
    message_id         text,
    correlation_id     text,
    message_type       text,
    convention         text,
    error_type         text,
    error_message      text,
    warning            text,
    properties         bytea COMPRESSION lz4 NOT NULL,
    body               bytea COMPRESSION lz4 NOT NULL
) PARTITION BY RANGE (id);

-- The page of a service or a squad, and where its oldest and newest dead letters are.
CREATE INDEX dead_letter_service_idx ON dead_letter (service, id) WHERE status = 'dead';
-- Look-ups by what stands in a log line. By a hash: a third of the size, and of the time that an insert takes.
CREATE INDEX dead_letter_message_id_idx ON dead_letter (hashtextextended(message_id, 0)) WHERE message_id IS NOT NULL;
CREATE INDEX dead_letter_correlation_id_idx ON dead_letter (hashtextextended(correlation_id, 0))
    WHERE correlation_id IS NOT NULL;
-- From a redelivery to its return.
CREATE INDEX dead_letter_redelivery_id_idx ON dead_letter (redelivery_id) WHERE redelivery_id IS NOT NULL;

-- The smallest id that an arrival at this moment can have.
CREATE FUNCTION dead_letter_floor_id(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN rpad(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0'), 32, '0')::uuid;

-- The smallest id of a UTC day.
CREATE FUNCTION dead_letter_floor_id(day date) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN rpad(lpad(to_hex((day - DATE '1970-01-01')::bigint * 86400000), 12, '0'), 32, '0')::uuid;

-- So that an insert can never fail for want of a partition. Two rows fit on a page before one is compressed and stored
-- apart: what most dead letters would pay for with a third of an insert's time.
CREATE TABLE dead_letter_default PARTITION OF dead_letter DEFAULT WITH (toast_tuple_target = 4080);
CREATE UNIQUE INDEX dead_letter_default_identity_idx ON dead_letter_default (identity) WHERE identity IS NOT NULL;

-- Makes the partition of a UTC day; says whether it had to. The unique index on the identity is local to each partition,
-- as the partition key is not part of it: a batch near a day's edge looks up the neighbours too.
CREATE FUNCTION dead_letter_create_partition(day date) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    partition_name text := 'dead_letter_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF dead_letter FOR VALUES FROM (%L) TO (%L) WITH (toast_tuple_target = 4080)',
        partition_name, dead_letter_floor_id(day), dead_letter_floor_id(day + 1));
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (identity) WHERE identity IS NOT NULL',
        partition_name || '_identity_idx', partition_name);
    RETURN true;
END
$$;

-- How many dead letters of each service arrived on each UTC day, by status, kept in the transactions that change the
-- rows. A row for each writing connection (slot), so that concurrent batches do not queue for one: a single row may be
-- negative, only the sum counts.
CREATE TABLE dead_letter_counter (
    service     text COLLATE "C" NOT NULL,
    day         date     NOT NULL,
    slot        smallint NOT NULL,
    dead        bigint   NOT NULL DEFAULT 0,
    redelivered bigint   NOT NULL DEFAULT 0,
    deleted     bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (service, day, slot)
) WITH (fillfactor = 50);
