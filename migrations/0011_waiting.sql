-- What an operation waits for on purpose: it is told as `waiting`.

ALTER TABLE operation
    -- The same text as last_error while it waits. An older version writes last_error only: then the two differ, and it does not wait.
    ADD COLUMN waits_for text;
