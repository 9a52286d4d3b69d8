-- The draft that a task or a project came from (`POST /drafts/:id/promote`). The draft names the task or project in turn.
--
-- An addition: release 2.0.0 neither reads nor writes it.
ALTER TABLE tasks ADD COLUMN draft_id INTEGER CHECK (draft_id > 0);
ALTER TABLE projects ADD COLUMN draft_id INTEGER CHECK (draft_id > 0);

UPDATE schema_version SET migration = 16 WHERE id = 1;
