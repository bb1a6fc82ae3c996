-- Villages that come by stick.
ALTER TABLE village ADD COLUMN last_stick_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE village ADD COLUMN answer_to TEXT NOT NULL DEFAULT '';
