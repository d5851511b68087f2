-- Operations are listed by the error groups that they selected; new groups and what people did are listed by time.

ALTER TABLE operation
    -- The error groups of its dead letters, as they were when it was frozen; NULL where an older version froze it: not known.
    ADD COLUMN error_groups uuid[];
CREATE INDEX operation_error_groups_idx ON operation USING gin (error_groups);
CREATE INDEX error_group_first_seen_idx ON error_group (first_seen);
