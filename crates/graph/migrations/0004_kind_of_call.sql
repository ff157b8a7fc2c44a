-- Whether a call is peer-to-peer is told with each roster: a second person makes a group of it.

ALTER TABLE calls DROP COLUMN kind;
