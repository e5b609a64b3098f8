-- A third scope: who may edit could make tokens that outlived the revocation of their own. Tokens keep what they could. Beside
-- the scope, so that instances of the release before, which know two, let editors edit while a fleet is brought up to date.
ALTER TABLE api_token ADD COLUMN manages boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN api_token.manages IS 'Whether the scope is manage, which includes write.';
UPDATE api_token SET manages = true WHERE scope = 'write';
ALTER TABLE api_token ADD CONSTRAINT api_token_manages_check CHECK (scope = 'write' OR NOT manages);

ALTER TABLE api_token ADD COLUMN last_used_at timestamptz;
COMMENT ON COLUMN api_token.last_used_at IS 'Noted once a minute, beside the requests: up to a minute and a little behind.';

-- Who edited what. Written by the statement that ends an edit's transaction, so an entry is there exactly if the edit is.
CREATE TABLE audit_entry (
  id uuid CONSTRAINT audit_entry_pkey PRIMARY KEY,
  -- The time of the statement, not of the transaction: entries of one object, which wait for each other, are in their order.
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- No foreign key: tokens are never deleted, and an edit need not lock the row of its token.
  token_id uuid,
  actor text NOT NULL,
  action text NOT NULL,
  method text,
  path text NOT NULL,
  request_id text,
  address text,
  xid xid8 NOT NULL
) WITH (
  autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_threshold = 20000, autovacuum_vacuum_insert_scale_factor = 0.05
);
COMMENT ON TABLE audit_entry IS 'The audit log: one entry per committed edit of the admin API and of aisle token.';
COMMENT ON COLUMN audit_entry.actor IS 'Name of the token as it was then; without a token_id, settings or command.';
COMMENT ON COLUMN audit_entry.xid IS 'The transaction of the edit, as in catalog_event.';

-- Pages, and what is pruned.
CREATE INDEX audit_entry_at_index ON audit_entry (at DESC, id DESC);
-- Pages of one path. Its hash: paths may be longer than an index takes, and an edit must not fail for that.
CREATE INDEX audit_entry_path_index ON audit_entry (hashtextextended(path, 0), at DESC, id DESC);
