CREATE OR REPLACE FUNCTION catalog.era() RETURNS uuid
LANGUAGE sql STABLE AS $$ SELECT id FROM public.catalog_era WHERE timeline = catalog.timeline() $$;
CREATE OR REPLACE FUNCTION catalog.timeline() RETURNS text
LANGUAGE sql STABLE AS $$ SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) $$;
DO $$
DECLARE
  planned regprocedure;
BEGIN
  FOR planned IN SELECT oid FROM pg_proc
    WHERE pronamespace = 'catalog'::regnamespace AND 'plan_cache_mode=force_generic_plan' = ANY (proconfig)
  LOOP
    EXECUTE format('ALTER FUNCTION %s RESET plan_cache_mode', planned);
  END LOOP;
END $$;
