-- Format 1. Frozen: a later format is another step, never an edit here.
CREATE TABLE actor (
  number INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE
);

CREATE TABLE village (
  number          INTEGER PRIMARY KEY,
  village         INTEGER NOT NULL UNIQUE,
  address         TEXT    NOT NULL DEFAULT '',
  log_id          BLOB,
  epoch           INTEGER NOT NULL DEFAULT 0,
  seq             INTEGER NOT NULL DEFAULT 0,
  chain           BLOB,
  fingerprint     BLOB    NOT NULL DEFAULT (zeroblob(32)),
  records         INTEGER NOT NULL DEFAULT 0,
  warga           INTEGER NOT NULL DEFAULT 0,
  rumah_tangga    INTEGER NOT NULL DEFAULT 0,
  quarantined     INTEGER NOT NULL DEFAULT 0,
  tombstones      INTEGER NOT NULL DEFAULT 0,
  last_contact_ms INTEGER NOT NULL DEFAULT 0,
  last_proof_ms   INTEGER NOT NULL DEFAULT 0,
  proven_seq      INTEGER NOT NULL DEFAULT 0,
  software        TEXT    NOT NULL DEFAULT '',
  trouble         TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE dusun (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  nama TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

CREATE TABLE rw (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  nomor TEXT NOT NULL, dusun_id BLOB,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

CREATE TABLE rt (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  nomor TEXT NOT NULL, rw_id BLOB, dusun_id BLOB,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

CREATE TABLE dasawisma (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  nama TEXT NOT NULL, rt_id BLOB NOT NULL, aktif INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

CREATE TABLE rumah_tangga (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  rt_id BLOB NOT NULL, dasawisma_id BLOB, kepala_id BLOB, alamat TEXT NOT NULL,
  rumah INTEGER NOT NULL, jumlah_mck INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

CREATE TABLE keluarga (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  no_kk INTEGER, rumah_tangga_id BLOB NOT NULL, aktif INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;
CREATE INDEX keluarga_no_kk ON keluarga(no_kk) WHERE no_kk IS NOT NULL;

CREATE TABLE warga (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  nik INTEGER, nama TEXT NOT NULL, keluarga_id BLOB,
  jenis_kelamin INTEGER NOT NULL, tanggal_lahir INTEGER, shdk INTEGER NOT NULL,
  status_kawin INTEGER NOT NULL, status_dasar INTEGER NOT NULL,
  pendidikan_kk INTEGER NOT NULL, pekerjaan INTEGER NOT NULL, agama INTEGER NOT NULL,
  tanda INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;
CREATE INDEX warga_nik ON warga(nik) WHERE nik IS NOT NULL;

CREATE TABLE mutasi (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  warga_id BLOB NOT NULL, nik INTEGER, peristiwa INTEGER NOT NULL,
  jenis_pindah INTEGER NOT NULL, tgl_peristiwa INTEGER, desa INTEGER,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;
CREATE INDEX mutasi_nik ON mutasi(nik) WHERE nik IS NOT NULL AND peristiwa IN (3, 5);

-- Records of kinds this version doesn't know, kept whole.
CREATE TABLE catatan_lain (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

-- Who ended a record, and the mark below which it can't come back.
CREATE TABLE tombstone (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  kind INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;

-- The newest entry of a record that this hub could not take. hash IS NULL:
-- the content was withheld and counts in nobody's sum.
CREATE TABLE quarantine (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  village INTEGER NOT NULL, id BLOB NOT NULL,
  kind INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  schema INTEGER NOT NULL, operation INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  hash BLOB, reason TEXT NOT NULL, since_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (village, id)
);

-- place_village and place_id tell the moves of one NIK apart; they are 0 and
-- empty for duplicates, of which a number has one at most.
CREATE TABLE finding (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL, key INTEGER NOT NULL,
  place_village INTEGER NOT NULL, place_id BLOB NOT NULL,
  other_village INTEGER,
  since_ms INTEGER NOT NULL, closed_ms INTEGER
);
CREATE UNIQUE INDEX finding_open ON finding(key, kind, place_village, place_id)
  WHERE closed_ms IS NULL;

CREATE TABLE claim (
  finding INTEGER NOT NULL, place INTEGER NOT NULL,
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  PRIMARY KEY (finding, place)
) WITHOUT ROWID;
CREATE INDEX claim_village ON claim(village);
