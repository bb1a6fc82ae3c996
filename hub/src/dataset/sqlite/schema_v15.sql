-- Format 15: what waits for a village, and how its computer is.

CREATE INDEX notice_delivery_waiting ON notice_delivery(village, notice) WHERE state <> 1;

-- How long a question to the node took; 0 = not known.
ALTER TABLE link ADD COLUMN round_trip_us INTEGER NOT NULL DEFAULT 0;

-- What each node told of its computer last. disk_free_bytes NULL = it could
-- not tell. since_stops: how many unclean stops there were at since_ms, so
-- that those of the last weeks can be told.
CREATE TABLE machine (
  village         INTEGER PRIMARY KEY,
  at_ms           INTEGER NOT NULL,
  disk_free_bytes INTEGER,
  store_bytes     INTEGER NOT NULL,
  unclean_stops   INTEGER NOT NULL,
  since_stops     INTEGER NOT NULL,
  since_ms        INTEGER NOT NULL,
  arch            TEXT    NOT NULL
);
