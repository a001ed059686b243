-- The version that a record was at after a change: what came after the version that somebody saw is told by it. Changes from before
-- this column say nothing.
ALTER TABLE changes ADD COLUMN to_version BIGINT;
