-- Format 9: notices of the district, to which villages they go, and what the
-- villages answer.

-- Receipts, a kind of record.
CREATE TABLE tanda_terima (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  informasi_id BLOB NOT NULL, versi INTEGER NOT NULL, rt_id BLOB,
  diterima_ms INTEGER NOT NULL, dibaca_ms INTEGER,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;
CREATE INDEX tanda_terima_informasi ON tanda_terima(informasi_id, village);

-- The newest version of each notice. message is the notice as it is sent,
-- with its targets; content_version is the last version that changed what
-- people read; last_day is days since 1970-01-01, NULL = until withdrawn.
CREATE TABLE notice (
  number          INTEGER PRIMARY KEY AUTOINCREMENT,
  id              BLOB    NOT NULL UNIQUE,
  version         INTEGER NOT NULL,
  content_version INTEGER NOT NULL,
  last_day        INTEGER,
  written_by      TEXT    NOT NULL,
  made_ms         INTEGER NOT NULL,
  changed_ms      INTEGER NOT NULL,
  message         BLOB    NOT NULL
);

-- One row a targeted village. state: 0 queued, 1 kept by the village, 2 the
-- node is too old to know notices. log_id and epoch say which log kept it:
-- a village that went back in time gets it again. software: of the node that
-- was too old.
CREATE TABLE notice_delivery (
  village  INTEGER NOT NULL,
  notice   INTEGER NOT NULL,
  state    INTEGER NOT NULL DEFAULT 0,
  at_ms    INTEGER NOT NULL DEFAULT 0,
  log_id   BLOB,
  epoch    INTEGER NOT NULL DEFAULT 0,
  software TEXT    NOT NULL DEFAULT '',
  PRIMARY KEY (village, notice)
) WITHOUT ROWID;
CREATE INDEX notice_delivery_notice ON notice_delivery(notice);
CREATE INDEX notice_delivery_queued ON notice_delivery(village, notice) WHERE state = 0;
