-- Format 13: histories of a village's log that came by stick.

-- Where the hub left each for another one; see turns. epoch 0 = it follows
-- this one.
CREATE TABLE stick_history (
  village  INTEGER NOT NULL,
  began_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  log      BLOB    NOT NULL,
  epoch    INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  chain    BLOB    NOT NULL
);
CREATE INDEX stick_history_village ON stick_history (village);
