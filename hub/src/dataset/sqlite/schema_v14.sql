-- Format 14: passwords that somebody else was shown.

-- 1 = the password was made by the hub and told to the owner by another
-- person; it opens nothing but the way to another one. Accounts from before
-- are taken to have their own.
ALTER TABLE operator ADD COLUMN first_password INTEGER NOT NULL DEFAULT 0;
