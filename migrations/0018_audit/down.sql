DROP TABLE audit_entry;
ALTER TABLE api_token DROP COLUMN last_used_at;
ALTER TABLE api_token DROP CONSTRAINT api_token_scope_check;
UPDATE api_token SET scope = 'write' WHERE scope = 'manage';
ALTER TABLE api_token ADD CONSTRAINT api_token_scope_check CHECK (scope IN ('read', 'write'));
