-- Format 11: operators' certificates, and what villages witnessed of the audit
-- log.

-- Keys of operators' certificates; see access::certificate.
CREATE TABLE operator_key (
  key        BLOB    PRIMARY KEY,
  operator   TEXT    NOT NULL,
  made_ms    INTEGER NOT NULL,
  until_ms   INTEGER NOT NULL,
  revoked_ms INTEGER
) WITHOUT ROWID;

-- The head of the audit log that a village's node holds, and what it holds
-- against the log; see access::witness. doubt: 0 = nothing.
CREATE TABLE audit_witness (
  village    INTEGER PRIMARY KEY,
  seq        INTEGER NOT NULL,
  hash       BLOB    NOT NULL,
  at_ms      INTEGER NOT NULL,
  doubt      INTEGER NOT NULL,
  doubt_seq  INTEGER NOT NULL,
  doubt_hash BLOB    NOT NULL,
  shown_seq  INTEGER NOT NULL,
  shown_hash BLOB    NOT NULL
);
