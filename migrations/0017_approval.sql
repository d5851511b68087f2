-- An operation on many dead letters can need a second person: it begins paused, and goes on when somebody else approves it.
ALTER TABLE operation ADD COLUMN awaits_approval boolean NOT NULL DEFAULT false;

ALTER TABLE operation_event
    DROP CONSTRAINT operation_event_action_check,
    ADD CONSTRAINT operation_event_action_check CHECK (action IN ('pause', 'resume', 'cancel', 'rate', 'canary', 'approve'));
