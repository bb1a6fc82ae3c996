-- Format 19: recaps for the public.

-- One publication for each quarter, by its last day (2026-12-31). `keys` names
-- the counts in the order in which rows have them.
CREATE TABLE publication (
  day     TEXT    NOT NULL PRIMARY KEY,
  made_ms INTEGER NOT NULL,
  made_by TEXT    NOT NULL,
  rules   INTEGER NOT NULL,
  keys    TEXT    NOT NULL
) WITHOUT ROWID;

-- Every region with what is told of it: counts as they were moved by chance,
-- never as they were. `region` is '' for what lies in no region of its sheet.
CREATE TABLE published (
  day      TEXT    NOT NULL,
  within   TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  region   TEXT    NOT NULL,
  level    TEXT    NOT NULL,
  label    TEXT    NOT NULL,
  name     TEXT    NOT NULL,
  unplaced INTEGER NOT NULL,
  counts   TEXT    NOT NULL,
  PRIMARY KEY (day, within, at)
) WITHOUT ROWID;
CREATE UNIQUE INDEX published_region ON published(day, region) WHERE region <> '';

-- What was published is out: it never changes and never goes.
CREATE TRIGGER publication_stays BEFORE UPDATE ON publication
BEGIN SELECT RAISE(ABORT, 'a publication stays as it is'); END;
CREATE TRIGGER publication_is_kept BEFORE DELETE ON publication
BEGIN SELECT RAISE(ABORT, 'a publication is kept'); END;
CREATE TRIGGER published_stays BEFORE UPDATE ON published
BEGIN SELECT RAISE(ABORT, 'a publication stays as it is'); END;
CREATE TRIGGER published_is_kept BEFORE DELETE ON published
BEGIN SELECT RAISE(ABORT, 'a publication is kept'); END;
