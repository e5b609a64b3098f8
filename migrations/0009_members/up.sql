-- Members: the instances that answer from their caches. Each holds a short lease on "I have applied the log", which a
-- renewal extends; an edit is acknowledged once every member has applied it or its lease is dead.

-- History that positions belong to. A promoted replica may lack commits and reuse their positions, so whatever speaks of
-- a position says in which era. A timeline of the server is one era.
CREATE TABLE catalog_era (
  singleton boolean CONSTRAINT catalog_era_pkey PRIMARY KEY DEFAULT true,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  timeline text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT catalog_era_singleton_check CHECK (singleton)
);

-- Timeline of this server: it changes when a replica is promoted or a backup is recovered, never under a session.
CREATE FUNCTION catalog.timeline() RETURNS text
LANGUAGE sql STABLE AS $$ SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) $$;

-- The first era counts as old: no lease of an earlier one can be alive.
INSERT INTO catalog_era (timeline, since) VALUES (catalog.timeline(), '-infinity');

-- The current era, or NULL when the server has begun another history that nobody has named yet.
CREATE FUNCTION catalog.era() RETURNS uuid
LANGUAGE sql STABLE AS $$ SELECT id FROM public.catalog_era WHERE timeline = catalog.timeline() $$;

-- The current era, named now if it must be.
CREATE FUNCTION catalog.enter_era() RETURNS uuid
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.catalog_era SET id = gen_random_uuid(), timeline = catalog.timeline(), since = clock_timestamp()
   WHERE timeline <> catalog.timeline();
  RETURN catalog.era();
END $$;

-- One row per incarnation of an instance; its id is never used again. Updated by every renewal: room for HOT updates and
-- no index but the key.
CREATE TABLE catalog_member (
  id uuid CONSTRAINT catalog_member_pkey PRIMARY KEY,
  -- Where it can be reached, for operators and `aisle check`.
  url text NOT NULL DEFAULT '',
  lease_ms integer NOT NULL,
  renew_seq bigint NOT NULL DEFAULT 0,
  -- It has applied the log up to here.
  acked bigint NOT NULL DEFAULT 0,
  joined_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT catalog_member_lease_check CHECK (lease_ms BETWEEN 100 AND 5000)
) WITH (fillfactor = 40);

-- Members that came and went with the event; followers learn the membership as of a position from the log itself.
ALTER TABLE catalog_event
  ADD COLUMN joined uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN departed uuid[] NOT NULL DEFAULT '{}',
  -- When it got its position, just before its commit.
  ADD COLUMN stamped_at timestamptz;

CREATE FUNCTION catalog.member_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  came uuid[] := '{}';
  went uuid[] := '{}';
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT coalesce(array_agg(id), '{}') INTO came FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT coalesce(array_agg(id), '{}') INTO went FROM before_rows;
  ELSE
    SELECT coalesce(array_agg(id), '{}') INTO went FROM public.catalog_member; -- before the TRUNCATE
  END IF;
  IF came = '{}' AND went = '{}' THEN RETURN NULL; END IF;
  DELETE FROM public.catalog_event AS e WHERE e.xid = pg_current_xact_id() AND e.at <> now();
  INSERT INTO public.catalog_event AS e (kind, deps, products, joined, departed)
  VALUES (CASE WHEN came = '{}' THEN 'leave' ELSE 'join' END, '{}', '{}', came, went)
  ON CONFLICT (xid) DO UPDATE SET joined = e.joined || excluded.joined, departed = e.departed || excluded.departed;
  RETURN NULL;
END $$;
CREATE TRIGGER log_insert AFTER INSERT ON catalog_member REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.member_changed();
CREATE TRIGGER log_delete AFTER DELETE ON catalog_member REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.member_changed();
CREATE TRIGGER log_truncate BEFORE TRUNCATE ON catalog_member
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.member_changed();
ALTER TABLE catalog_member ENABLE ALWAYS TRIGGER log_insert;
ALTER TABLE catalog_member ENABLE ALWAYS TRIGGER log_delete;
ALTER TABLE catalog_member ENABLE ALWAYS TRIGGER log_truncate;

CREATE OR REPLACE FUNCTION catalog.stamp() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  stale uuid[];
BEGIN
  -- NEW is the row as inserted; what was merged later stands only in the table.
  SELECT products INTO stale FROM public.catalog_event WHERE xid = NEW.xid AND pos IS NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  -- Triggers keep versions, documents and dependencies in step by looking at what others have committed meanwhile.
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'the catalogue can be changed in READ COMMITTED only: other levels do not see what must be kept in step'
      USING ERRCODE = 'invalid_transaction_state', HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED';
  END IF;
  PERFORM catalog.refresh_documents(stale); -- before the lock: it is the slow part
  PERFORM pg_advisory_xact_lock(4201);
  UPDATE public.catalog_event SET pos = nextval('public.catalog_pos'), stamped_at = clock_timestamp() WHERE xid = NEW.xid;
  -- An empty doorbell; the application mutes it where it announces its edits itself.
  IF current_setting('aisle.doorbell', true) IS DISTINCT FROM 'off' THEN PERFORM pg_notify('catalog', ''); END IF;
  RETURN NULL;
END $$;

-- Returns once everything committed before the call is seen by every instance: each member has applied the log up to
-- here, has left, or had time enough to lose its lease. Gives that position.
CREATE FUNCTION catalog.sync() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  head bigint := coalesce((SELECT max(pos) FROM public.catalog_event WHERE pos IS NOT NULL), 0);
  began timestamptz := clock_timestamp();
  silent integer;
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'catalog.sync() needs READ COMMITTED: other levels see the members as they were'
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
  IF EXISTS (SELECT FROM public.catalog_event WHERE xid = pg_current_xact_id_if_assigned()) THEN
    RAISE EXCEPTION 'catalog.sync() waits for what is committed: call it in a transaction of its own, after the COMMIT'
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
  LOOP
    -- The longest lease among the silent; a member that joins later has read the log up to here.
    SELECT max(lease_ms) INTO silent FROM public.catalog_member WHERE acked < head;
    EXIT WHEN silent IS NULL OR clock_timestamp() >= began + (silent * 1.01 + 50) * interval '1 millisecond';
    PERFORM pg_sleep(0.002);
  END LOOP;
  RETURN head;
END $$;
