-- Who is on an error group, its ticket, and groups that are one group for people (docs/adr/0047).

ALTER TABLE error_group
    -- Whom it is assigned to: `user:default/ada`, a squad, or whatever people are known by.
    ADD COLUMN assignee text,
    ADD COLUMN ticket_url text,
    ADD COLUMN ticket_key text,
    -- The group that it was merged into, which itself is merged into none. NULL: it is a group of its own. Its dead letters and its
    -- counters keep its id.
    ADD COLUMN merged_into uuid REFERENCES error_group (id) CHECK (merged_into <> id);
CREATE INDEX error_group_merged_into_idx ON error_group (merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE error_group_event
    -- Each release knows its own actions.
    DROP CONSTRAINT IF EXISTS error_group_event_action_check,
    ADD COLUMN assignee text,
    ADD COLUMN ticket_url text,
    ADD COLUMN ticket_key text,
    -- The groups that were merged or split.
    ADD COLUMN groups uuid[];
