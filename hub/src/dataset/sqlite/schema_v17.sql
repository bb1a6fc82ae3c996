-- Totals as villages state them, a kind of record. wilayah_id NULL = the
-- whole village; per_tanggal is days since 1970-01-01. What is stated stays in
-- the bytes.
CREATE TABLE pernyataan_jumlah (
  village INTEGER NOT NULL, id BLOB NOT NULL,
  epoch INTEGER NOT NULL, seq INTEGER NOT NULL, schema INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, actor INTEGER NOT NULL, source INTEGER NOT NULL,
  wilayah_id BLOB, per_tanggal INTEGER,
  bytes BLOB NOT NULL,
  PRIMARY KEY (village, id)
) WITHOUT ROWID;
