-- Format 5: when the rows of a village were last proven equal to its log, row
-- by row; what came out last, in words; and since when an operator waits for
-- such a proof.
ALTER TABLE village ADD COLUMN deep_proof_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE village ADD COLUMN deep_proof_words TEXT NOT NULL DEFAULT '';
ALTER TABLE village ADD COLUMN proof_asked_ms INTEGER NOT NULL DEFAULT 0;
