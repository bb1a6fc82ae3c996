-- Format 3. -- Who may speak for a village. Secrets are kept as hashes only.
CREATE TABLE join_token (
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  secret_hash BLOB    NOT NULL UNIQUE,
  village     INTEGER NOT NULL,
  replaces    INTEGER NOT NULL,
  made_ms     INTEGER NOT NULL,
  expires_ms  INTEGER NOT NULL,
  used_ms     INTEGER,
  used_key    BLOB
);

CREATE TABLE node_key (
  village            INTEGER NOT NULL,
  key                BLOB    NOT NULL,
  since_ms           INTEGER NOT NULL,
  certified_until_ms INTEGER NOT NULL,
  root               BLOB,
  revoked_ms         INTEGER,
  PRIMARY KEY (village, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX node_key_allowed ON node_key(village) WHERE revoked_ms IS NULL;

-- Bytes the link may cost a day; 0 = no bound.
ALTER TABLE village ADD COLUMN budget_bytes INTEGER NOT NULL DEFAULT 0;

-- What a node told of its link at the last contact.
CREATE TABLE link (
  village             INTEGER PRIMARY KEY,
  at_ms               INTEGER NOT NULL,
  clock_ahead_ms      INTEGER NOT NULL,
  spent_today_bytes   INTEGER NOT NULL,
  quiet_held_seconds  INTEGER NOT NULL,
  quiet_broke_seconds INTEGER NOT NULL,
  tunnelled           INTEGER NOT NULL
);
