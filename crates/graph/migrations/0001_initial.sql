-- Everything that an application was promised: its calls, who is in them, its operations, and what it is to be told.
-- Ids are GUIDs in their dashed lower-case form. Times are milliseconds since 1970, UTC.

CREATE TABLE calls (
    id              TEXT PRIMARY KEY NOT NULL,
    app             TEXT NOT NULL,
    tenant          TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('peerToPeer', 'group')),
    callback_uri    TEXT NOT NULL,
    chain_id        TEXT NOT NULL,
    -- The members of Graph's call that never change, as JSON in Graph's spelling.
    facts           TEXT NOT NULL,
    state           TEXT NOT NULL,
    audio_active    INTEGER NOT NULL DEFAULT 0,
    result_info     TEXT,
    -- How many notices the call has had; each notice takes the next number.
    notice_sequence INTEGER NOT NULL DEFAULT 0,
    created_ms      INTEGER NOT NULL,
    ended_ms        INTEGER
) STRICT;

CREATE INDEX calls_live ON calls (app, tenant) WHERE state <> 'terminated';

CREATE INDEX calls_ended ON calls (ended_ms) WHERE ended_ms IS NOT NULL;

CREATE TABLE participants (
    call_id  TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    id       TEXT NOT NULL,
    position INTEGER NOT NULL,
    -- Graph's participant as JSON.
    body     TEXT NOT NULL,
    PRIMARY KEY (call_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    id      TEXT NOT NULL,
    status  TEXT NOT NULL,
    -- Graph's operation as JSON.
    body    TEXT NOT NULL,
    PRIMARY KEY (call_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX operations_running ON operations (call_id) WHERE status = 'running';

CREATE TABLE notices (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    call_id         TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    sequence        INTEGER NOT NULL,
    message_id      TEXT NOT NULL,
    payload         TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_answer     TEXT,
    created_ms      INTEGER NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    UNIQUE (call_id, sequence)
) STRICT;

CREATE INDEX notices_pending ON notices (call_id, sequence) WHERE state = 'pending';
