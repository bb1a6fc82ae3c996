-- Format 20: who made a record, and first passwords that were used.

-- A record's first entry, kept once a later one has taken its place. A record
-- without a line here still has its first entry, unless its time says that it
-- was merged anew before this format.
CREATE TABLE first_entry (
  village INTEGER NOT NULL,
  id      BLOB    NOT NULL,
  time_ms INTEGER NOT NULL,
  actor   INTEGER NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

-- Hash of the first password that an account's present one took the place of:
-- whoever still tries it is told that it was used, when and from where.
ALTER TABLE operator ADD COLUMN used_password TEXT NOT NULL DEFAULT '';
ALTER TABLE operator ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operator ADD COLUMN used_from TEXT NOT NULL DEFAULT '';
