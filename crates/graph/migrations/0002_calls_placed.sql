-- How many calls each application has placed in each calendar month (UTC, as 2026-11): calls themselves are forgotten
-- sooner than that.
CREATE TABLE calls_placed (
    app    TEXT NOT NULL,
    month  TEXT NOT NULL,
    placed INTEGER NOT NULL,
    PRIMARY KEY (app, month)
) STRICT, WITHOUT ROWID;
