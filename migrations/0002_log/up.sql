-- The log: one event per transaction that changed something, positioned at commit.
--
-- `pos` is drawn under an advisory lock that is held until the commit is visible, so whoever sees position p sees every
-- committed smaller one: a follower that asks for "pos > last" skips nothing. (A plain serial does skip: it is drawn
-- before the commit.) The lock is the last one taken; nothing slow may happen under it. Gaps come from roll-backs.

CREATE SEQUENCE catalog_pos INCREMENT 1 CACHE 1 NO CYCLE;

CREATE TABLE catalog_event (
  -- One event per transaction: later statements of it are merged into the row.
  xid xid8 CONSTRAINT catalog_event_pkey PRIMARY KEY DEFAULT pg_current_xact_id(),
  pos bigint,
  kind text NOT NULL DEFAULT 'edit',
  -- Tells this event from another one at the same position after a restore.
  nonce uuid NOT NULL DEFAULT gen_random_uuid(),
  -- What changed, as catalog.dep() numbers; 0 is everything.
  deps bigint[] NOT NULL,
  -- Products whose documents are stale; NULL: many.
  products uuid[],
  -- Start of the transaction.
  at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT catalog_event_kind_check CHECK (kind IN ('edit', 'join', 'leave'))
);
-- Partial: rows without a position are transactions under way. max(pos) and "pos > x" meet only its high end; never ask
-- for min(pos), which walks over everything pruned since the last vacuum.
CREATE UNIQUE INDEX catalog_event_pos_key ON catalog_event (pos) WHERE pos IS NOT NULL;

-- First eight bytes, big endian, of SHA-256 over `kind:key`; the application computes the same.
-- Not in language sql: convert_to is only stable, so such a function would be planned anew for every statement.
CREATE FUNCTION catalog.dep(kind text, key text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN ('x' || encode(substr(sha256(convert_to(kind || ':' || key, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;
END $$;

-- Dependencies of one kind for many keys; '*' when they are too many to be worth listing.
CREATE FUNCTION catalog.deps(kind text, keys text[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF cardinality(keys) > 8192 THEN RETURN '{0}'; END IF;
  RETURN (SELECT coalesce(array_agg(catalog.dep(kind, key)), '{}') FROM unnest(keys) AS key);
END $$;

-- Notes what this transaction changed. `stale` are the products whose documents must be rebuilt; NULL means many.
CREATE FUNCTION catalog.record(changed bigint[], stale uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF changed IS NULL OR changed = '{}' THEN RETURN; END IF;
  IF 0 = ANY (changed) OR cardinality(changed) > 8192 THEN changed := '{0}'; END IF;
  IF cardinality(stale) > 200 THEN stale := NULL; END IF;
  -- Transaction ids are unique in one cluster only. A row of this id that an earlier transaction wrote came with a
  -- restored dump; merging into it would hide this change behind an old position.
  DELETE FROM public.catalog_event AS e WHERE e.xid = pg_current_xact_id() AND e.at <> now();
  INSERT INTO public.catalog_event AS e (deps, products) VALUES (changed, stale)
  ON CONFLICT (xid) DO UPDATE SET
    deps = CASE
      WHEN e.deps = '{0}' OR excluded.deps = '{0}' THEN '{0}'
      ELSE (SELECT CASE WHEN count(DISTINCT dep) > 8192 THEN '{0}' ELSE array_agg(DISTINCT dep) END
              FROM unnest(e.deps || excluded.deps) AS dep) END,
    products = CASE
      WHEN e.products IS NULL OR excluded.products IS NULL THEN NULL
      ELSE (SELECT CASE WHEN count(DISTINCT id) > 200 THEN NULL ELSE coalesce(array_agg(DISTINCT id), '{}') END
              FROM unnest(e.products || excluded.products) AS id) END
  WHERE NOT ((e.deps = '{0}' OR e.deps @> excluded.deps)
         AND (e.products IS NULL OR e.products @> excluded.products));
END $$;

-- Replaced by the next migration, which knows the documents.
CREATE FUNCTION catalog.refresh_documents(ids uuid[]) RETURNS void LANGUAGE sql AS $$ SELECT $$;

CREATE FUNCTION catalog.stamp() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  stale uuid[];
BEGIN
  -- NEW is the row as inserted; what was merged later stands only in the table.
  SELECT products INTO stale FROM public.catalog_event WHERE xid = NEW.xid AND pos IS NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM catalog.refresh_documents(stale); -- before the lock: it is the slow part
  PERFORM pg_advisory_xact_lock(4201);
  UPDATE public.catalog_event SET pos = nextval('public.catalog_pos') WHERE xid = NEW.xid;
  -- An empty doorbell; the application mutes it where it announces its edits itself.
  IF current_setting('aisle.doorbell', true) IS DISTINCT FROM 'off' THEN PERFORM pg_notify('catalog', ''); END IF;
  RETURN NULL;
END $$;

-- Deferred: runs at COMMIT, after every change of the transaction. No other deferred constraint may stand beside it.
CREATE CONSTRAINT TRIGGER stamp AFTER INSERT ON catalog_event
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog.stamp();
ALTER TABLE catalog_event ENABLE ALWAYS TRIGGER stamp;
