-- Format 7: operators and what they did. Secrets are kept as hashes, but for
-- the one of one-time codes, which has to be known.
CREATE TABLE operator (
  name      TEXT    PRIMARY KEY,
  role      TEXT    NOT NULL,
  kecamatan TEXT    NOT NULL DEFAULT '',
  password  TEXT    NOT NULL,
  totp      BLOB,
  totp_step INTEGER NOT NULL DEFAULT 0,
  active    INTEGER NOT NULL,
  until_ms  INTEGER,
  made_ms   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE recovery_code (
  operator TEXT NOT NULL,
  hash     BLOB NOT NULL,
  PRIMARY KEY (operator, hash)
) WITHOUT ROWID;

CREATE TABLE operator_session (
  hash        BLOB    PRIMARY KEY,
  operator    TEXT    NOT NULL,
  made_ms     INTEGER NOT NULL,
  seen_ms     INTEGER NOT NULL,
  two_factors INTEGER NOT NULL,
  agent       TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX operator_session_of ON operator_session(operator);

-- Only ever added to; see access::audit.
CREATE TABLE audit (
  seq      INTEGER PRIMARY KEY,
  at_ms    INTEGER NOT NULL,
  operator TEXT    NOT NULL,
  act      TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  words    TEXT    NOT NULL,
  hash     BLOB    NOT NULL
);
CREATE INDEX audit_operator ON audit(operator, act, at_ms);
CREATE INDEX audit_subject ON audit(subject, seq);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_is_never_cut BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is never cut'); END;
