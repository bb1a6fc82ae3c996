-- Format 10: villages that operators hold, and their remarks.

-- A village that is not pulled and of which nobody is told until then.
CREATE TABLE hold (
  village  INTEGER PRIMARY KEY,
  held_by  TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  since_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL
);

-- What operators want each other to know of a village.
CREATE TABLE village_remark (
  village    INTEGER PRIMARY KEY,
  words      TEXT    NOT NULL,
  written_by TEXT    NOT NULL,
  changed_ms INTEGER NOT NULL
);
