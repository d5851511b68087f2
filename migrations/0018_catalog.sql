-- What the catalog said about the owners of services, and since when. The last good snapshot stays while the catalog is away.
CREATE TABLE catalog_snapshot (
    is_last  boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (is_last),
    taken_at timestamptz NOT NULL,
    -- JSON, read and written as a whole.
    services text        NOT NULL
);
