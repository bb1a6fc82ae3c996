-- What happened and what a proof came to, in English beside Bahasa Indonesia.
ALTER TABLE incident ADD COLUMN sentence_en TEXT NOT NULL DEFAULT '';
ALTER TABLE village ADD COLUMN deep_proof_words_en TEXT NOT NULL DEFAULT '';
