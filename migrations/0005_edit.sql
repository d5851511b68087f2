-- What is changed in the messages that are put back, and copies, which leave their dead letters dead.

ALTER TABLE operation
    -- As it was asked for: `jsonb` refuses a NUL in a text, and makes 1e16 a whole number.
    ADD COLUMN edit json,
    ADD COLUMN copy boolean NOT NULL DEFAULT false;

-- A plan bears its edit until it is run.
ALTER TABLE operation_plan ALTER COLUMN options TYPE json;
