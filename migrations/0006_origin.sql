-- Who told where a message died, how often we had redelivered it, and who was reading messages when a process died.

-- Whether the message itself told its origin, and not the broker. Of older rows it is not known: they count as told by the broker.
ALTER TABLE dead_letter
    ADD COLUMN origin_claimed boolean NOT NULL DEFAULT false,
    ADD COLUMN redeliveries   integer NOT NULL DEFAULT 0;

-- One row for each consumer of a source, from its first message to a clean end. A row that is left over is that of a process that
-- died: what it had in hand is read with care by whoever gets it next.
CREATE TABLE ingest_life (
    id       uuid        NOT NULL PRIMARY KEY,
    broker   text        NOT NULL,
    vhost    text        NOT NULL,
    source   text        NOT NULL,
    -- The same before and after a restart, and of no other replica.
    process  text        NOT NULL,
    -- With which care it read what had been delivered before: 0 as always, 1 without bodies, 2 nothing at all.
    care     smallint    NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    beat_at  timestamptz NOT NULL DEFAULT now()
);
