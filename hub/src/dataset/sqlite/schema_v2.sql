-- Format 2: what happened to villages, for the operator. subject is empty or
-- says what the incident is about, which is noted once.
CREATE TABLE incident (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  village  INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  sentence TEXT    NOT NULL,
  at_ms    INTEGER NOT NULL
);
CREATE INDEX incident_village ON incident(village, number);
CREATE UNIQUE INDEX incident_subject ON incident(village, kind, subject) WHERE subject <> '';
