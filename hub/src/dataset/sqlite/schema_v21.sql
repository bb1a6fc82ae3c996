-- Format 21: the entry at which two histories parted.

-- The chain after each of the newest entries of one village's present log,
-- sixteen bytes each, from the entry `first` on without a gap; see `chains`.
CREATE TABLE chain (
  village INTEGER NOT NULL,
  first   INTEGER NOT NULL,
  tags    BLOB NOT NULL,
  PRIMARY KEY (village, first)
) WITHOUT ROWID;
