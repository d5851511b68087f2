-- What people are told of an operation: which services it is about, and how much of it a cancellation left undone.

ALTER TABLE operation
    -- The services of its dead letters, as they were when it was frozen; NULL where an older version froze it: not known.
    ADD COLUMN services text[],
    -- Of the skipped ones: how many its cancellation left as they were.
    ADD COLUMN not_done bigint NOT NULL DEFAULT 0;
