-- Format 21: the save after which two histories parted.

-- The chain where each of the newest saves of one village's present log ends: the
-- number of its last entry, eight bytes, and the chain after it, sixteen. `first`
-- is the first of the numbers; see `chains`.
CREATE TABLE chain (
  village INTEGER NOT NULL,
  first   INTEGER NOT NULL,
  tags    BLOB NOT NULL,
  PRIMARY KEY (village, first)
) WITHOUT ROWID;
