-- The ledger: every attempt to deliver a notice. And a notice may be delivered again because its application asks for it.

CREATE TABLE attempts (
    notice_id       INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    -- Counts the attempts of the notice from 1.
    number          INTEGER NOT NULL,
    started_ms      INTEGER NOT NULL,
    duration_ms     INTEGER NOT NULL,
    -- What the application answered, or why there was no answer.
    status          INTEGER,
    failure         TEXT,
    -- When it was to be tried again, if at all.
    next_attempt_ms INTEGER,
    PRIMARY KEY (notice_id, number),
    CHECK ((status IS NULL) <> (failure IS NULL))
) STRICT, WITHOUT ROWID;

-- When a notice was put into the outbox, the first time or again, and how often it has been tried since.
ALTER TABLE notices ADD COLUMN queued_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
UPDATE notices SET queued_ms = created_ms, tries = attempts;

-- The attempts say it, all of them.
ALTER TABLE notices DROP COLUMN last_answer;
