DROP FUNCTION catalog.begin_era();

CREATE OR REPLACE FUNCTION catalog.sync() RETURNS bigint
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
