-- Incidents, and the notifications about them (docs/adr/0044).

-- What the groups of several services share that fail for the same reason at the same place; NULL where an older version made the group.
ALTER TABLE error_group ADD COLUMN bug uuid;

CREATE TABLE incident (
    -- UUID version 7 of its opening.
    id          uuid        NOT NULL PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('newErrorGroup', 'regressedErrorGroup', 'escalatingErrorGroup', 'squadGrowth',
        'operationPaused', 'operationFailed', 'sourceLag', 'test')),
    -- What it is about. One of the same subject is open at a time.
    subject     text        NOT NULL,
    -- Whom it was told, as ownership was when it was opened.
    squad       text        NOT NULL,
    severity    text        NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    services    text[]      NOT NULL DEFAULT '{}',
    -- What notifications say, as JSON that is read and written as a whole.
    facts       text        NOT NULL,
    opened_at   timestamptz NOT NULL,
    -- Since when it seems to be over. It is resolved if that stays so for a while.
    over_since  timestamptz,
    resolved_at timestamptz,
    -- Why it is over, in words.
    resolution  text
);
CREATE UNIQUE INDEX incident_open_idx ON incident (subject) WHERE resolved_at IS NULL;
CREATE INDEX incident_resolved_idx ON incident (resolved_at) WHERE resolved_at IS NOT NULL;

-- The error groups of an incident.
CREATE TABLE incident_group (
    error_group uuid NOT NULL,
    incident    uuid NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    PRIMARY KEY (error_group, incident)
);
CREATE INDEX incident_group_incident_idx ON incident_group (incident);

-- The outbox: what channels are to be told. Written in the transaction that opens or resolves the incident.
CREATE TABLE notification (
    id         uuid        NOT NULL PRIMARY KEY,
    incident   uuid        NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    event      text        NOT NULL CHECK (event IN ('opened', 'resolved')),
    channel    text        NOT NULL,
    state      text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed', 'dropped')),
    created_at timestamptz NOT NULL,
    -- When it is to be sent at first: at once, or when quiet hours end.
    wanted_at  timestamptz NOT NULL,
    -- When it is sent next: later after a failure.
    due_at     timestamptz NOT NULL,
    -- Whether it waits for the end of quiet hours.
    held       boolean     NOT NULL DEFAULT false,
    attempts   integer     NOT NULL DEFAULT 0,
    -- The replica that sends it, and until when no other does.
    lease      uuid,
    leased_to  timestamptz,
    last_error text,
    ended_at   timestamptz,
    UNIQUE (incident, event, channel)
);
CREATE INDEX notification_open_idx ON notification (due_at) WHERE state IN ('pending', 'failed');

-- Since when incidents are looked for: what was there before opens none. And when they were looked for last.
CREATE TABLE incident_watch (
    is_one     boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (is_one),
    began_at   timestamptz NOT NULL,
    looked_at  timestamptz NOT NULL
);
INSERT INTO incident_watch (began_at, looked_at) VALUES (now(), now());

-- What the replicas see of each source.
CREATE TABLE source_reading (
    broker      text        NOT NULL,
    vhost       text        NOT NULL,
    source      text        NOT NULL,
    read_at     timestamptz NOT NULL,
    -- Ready messages, when a replica could last tell.
    depth       bigint      NOT NULL DEFAULT 0,
    -- Since when more messages wait than may. NULL: they do not.
    deep_since  timestamptz,
    -- When a replica last consumed it.
    consumed_at timestamptz NOT NULL,
    -- Why it is not consumed, as a replica says.
    state       text        NOT NULL DEFAULT '',
    PRIMARY KEY (broker, vhost, source)
);
