-- Where each dead letter died: the broker, by the name that the configuration gives it, and the virtual host on it.
--
-- In rows and groups of the version before both are NULL: they are of the home place.

ALTER TABLE dead_letter ADD COLUMN broker text, ADD COLUMN vhost text;
ALTER TABLE error_group ADD COLUMN broker text, ADD COLUMN vhost text;

-- The one place that the version before knew: the first one that a service of this version is connected to.
CREATE TABLE home_place (
    is_home boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (is_home),
    broker  text    NOT NULL,
    vhost   text    NOT NULL
);

-- The places that services are, or were, connected to.
CREATE TABLE served_place (
    broker  text        NOT NULL,
    vhost   text        NOT NULL,
    -- When one last said so.
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (broker, vhost)
);

-- The cluster that a broker's name stood for when it was first used, to notice that it stands for another one.
CREATE TABLE known_broker (
    name    text NOT NULL PRIMARY KEY,
    cluster text NOT NULL
);
