-- Format 8: watching villages, and telling people.

-- One village's contacts of one day in East Java (days since 1970-01-01).
-- hours: bit n set = a sign of life between n.00 and n.59.
CREATE TABLE contact_day (
  village  INTEGER NOT NULL,
  day      INTEGER NOT NULL,
  hours    INTEGER NOT NULL,
  visits   INTEGER NOT NULL,
  proofs   INTEGER NOT NULL,
  sticks   INTEGER NOT NULL,
  troubled INTEGER NOT NULL,
  PRIMARY KEY (village, day)
) WITHOUT ROWID;

-- The newest gaps between contacts; see `rhythm::Gaps`.
CREATE TABLE rhythm (
  village INTEGER PRIMARY KEY,
  gaps    BLOB NOT NULL
);

-- When the hub last said that it is awake, and when it could hear nobody.
CREATE TABLE hub_awake (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  at_ms INTEGER NOT NULL
);
CREATE TABLE hub_away (
  from_ms  INTEGER PRIMARY KEY,
  until_ms INTEGER NOT NULL
);

-- How many villages were in each class at the end of a day.
CREATE TABLE freshness_day (
  day             INTEGER PRIMARY KEY,
  segar           INTEGER NOT NULL,
  terlambat       INTEGER NOT NULL,
  lama            INTEGER NOT NULL,
  hilang          INTEGER NOT NULL,
  belum_terdaftar INTEGER NOT NULL
);

-- Since when the trouble of a village is known; 0 = none, or not known.
ALTER TABLE village ADD COLUMN trouble_ms INTEGER NOT NULL DEFAULT 0;

-- Whom to call about a village.
CREATE TABLE narahubung (
  village    INTEGER PRIMARY KEY,
  nama       TEXT    NOT NULL,
  telepon    TEXT    NOT NULL,
  changed_ms INTEGER NOT NULL
);

-- When nobody is to be told: of a village (its code), a kecamatan (its code)
-- or of anything (0).
CREATE TABLE maintenance (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  scope    INTEGER NOT NULL,
  from_ms  INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  reason   TEXT    NOT NULL
);

-- What people have been told of and is not over. key: code and place.
-- told_ms: 0 = not yet. state: what was told, so that the same is not told
-- again.
CREATE TABLE alert (
  key      TEXT    PRIMARY KEY,
  since_ms INTEGER NOT NULL,
  seen_ms  INTEGER NOT NULL,
  told_ms  INTEGER NOT NULL,
  state    TEXT    NOT NULL
);

-- What is still to be delivered, per channel.
CREATE TABLE alert_letter (
  number   INTEGER PRIMARY KEY AUTOINCREMENT,
  channel  TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  body     TEXT    NOT NULL,
  made_ms  INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_ms   INTEGER NOT NULL
);
CREATE INDEX alert_letter_due ON alert_letter(due_ms);
