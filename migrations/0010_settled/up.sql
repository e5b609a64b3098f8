-- Returns once everything committed before the call is seen by every instance: each member has applied the log up to
-- here, has left, or had time enough to lose its lease. Gives that position.
CREATE OR REPLACE FUNCTION catalog.sync() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  head bigint := coalesce((SELECT max(pos) FROM public.catalog_event WHERE pos IS NOT NULL), 0);
  began timestamptz := clock_timestamp();
  silent integer;
  -- Members of an era that ended may hold leases without being listed, for the longest lease there is.
  settled timestamptz := coalesce((SELECT since FROM public.catalog_era WHERE timeline = catalog.timeline()),
    clock_timestamp()) + interval '5.1 seconds';
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
    EXIT WHEN clock_timestamp() >= settled
      AND (silent IS NULL OR clock_timestamp() >= began + (silent * 1.01 + 50) * interval '1 millisecond');
    PERFORM pg_sleep(0.002);
  END LOOP;
  RETURN head;
END $$;

-- Begins another era, for whoever puts an older copy of the files in place of these without promoting it: to be called on
-- the copy before instances are started on it. Entries and messages of what the copy lacks count for nothing from then on.
CREATE FUNCTION catalog.begin_era() RETURNS uuid
LANGUAGE sql AS $$
  UPDATE public.catalog_era SET id = gen_random_uuid(), timeline = catalog.timeline(), since = clock_timestamp()
  RETURNING id
$$;
