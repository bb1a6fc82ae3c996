-- Format 6: where the hub has stood in each log, branches of logs that a
-- village lost, what is left of closed logs, and who was in contact.

-- Earlier positions of one village in its present log; see `trail`.
CREATE TABLE trail (
  village INTEGER PRIMARY KEY,
  marks   BLOB NOT NULL
);

-- Versions of records that the village lost, kept whatever becomes of them.
-- hash is empty for deletes and for content that never came. why: 1 a lost
-- branch, 2 left over from a closed log. outcome: 0 not handed back yet,
-- 1 written anew, 2 equal there, 3 the village's own stays, 4 a later version
-- was handed back instead, 5 ended by the operator. settled = 0: may have to be
-- handed back (again).
CREATE TABLE branch (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  village INTEGER NOT NULL, id BLOB NOT NULL,
  kind INTEGER NOT NULL, schema INTEGER NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, operation INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  hash BLOB NOT NULL, bytes BLOB NOT NULL,
  why INTEGER NOT NULL, fork INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  outcome INTEGER NOT NULL DEFAULT 0, settled INTEGER NOT NULL DEFAULT 0,
  UNIQUE (village, id, epoch, seq, hash)
);
CREATE INDEX branch_open ON branch(village, epoch, seq, number) WHERE settled = 0;

-- Histories of contacts that one village's disk has shown; more than one when
-- a disk was put back or copied. Numbers of contacts, see `lineage`.
CREATE TABLE lineage (
  village     INTEGER NOT NULL,
  began       INTEGER NOT NULL,
  last        INTEGER NOT NULL,
  incarnation BLOB    NOT NULL,
  PRIMARY KEY (village, began)
) WITHOUT ROWID;

-- Living records of a closed log that the present one has not replaced.
ALTER TABLE village ADD COLUMN leftovers INTEGER NOT NULL DEFAULT 0;
-- Stopped since, because two machines answer for the village; 0 = not.
ALTER TABLE village ADD COLUMN twin_ms INTEGER NOT NULL DEFAULT 0;
-- How often an operator has decided something about the village.
ALTER TABLE village ADD COLUMN decisions INTEGER NOT NULL DEFAULT 0;
