-- Moves by the village they name as their other end: looked through when that
-- village is first merged.
CREATE INDEX mutasi_desa ON mutasi(desa)
  WHERE desa IS NOT NULL AND nik IS NOT NULL AND peristiwa IN (3, 5);
