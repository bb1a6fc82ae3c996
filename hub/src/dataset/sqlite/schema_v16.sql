-- Damaged stores that villages keep aside.

-- at_ms is the node's clock when it set one aside; whole = it held nothing
-- beyond what the hub had; since_ms = when the hub heard of it, released_ms =
-- when an operator said that it may go (0 = nobody has), hub clock.
CREATE TABLE damaged_store (
  village     INTEGER NOT NULL,
  at_ms       INTEGER NOT NULL,
  whole       INTEGER NOT NULL,
  since_ms    INTEGER NOT NULL,
  released_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (village, at_ms)
) WITHOUT ROWID;
