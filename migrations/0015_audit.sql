-- Who did what. Entries are written in the transactions of what they record, and are never changed.
CREATE TABLE audit_entry (
    -- UUID version 7 of its time.
    id            uuid        NOT NULL PRIMARY KEY,
    -- What identifies the caller: empty, if nobody signed in. And as people know it.
    actor_id      text        NOT NULL,
    actor         text        NOT NULL,
    -- Where the request came from.
    address       text,
    action        text        NOT NULL,
    -- How often, where several of a kind are one entry.
    times         bigint      NOT NULL DEFAULT 1,
    -- What it was done with.
    services      text[]      NOT NULL DEFAULT '{}',
    dead_letter   uuid,
    operation     uuid,
    error_group   uuid,
    -- JSON as it was written: the chain covers each byte.
    details       text        NOT NULL DEFAULT '{}',
    -- Why, in words.
    reason        text
);
CREATE INDEX audit_entry_actor_idx ON audit_entry (actor_id, id);
CREATE INDEX audit_entry_dead_letter_idx ON audit_entry (dead_letter, id) WHERE dead_letter IS NOT NULL;
CREATE INDEX audit_entry_operation_idx ON audit_entry (operation, id) WHERE operation IS NOT NULL;

-- The chain: each hash covers the entry and the hash before it.
CREATE TABLE audit_seal (
    number bigint NOT NULL PRIMARY KEY,
    entry  uuid   NOT NULL UNIQUE,
    hash   bytea  NOT NULL
);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
