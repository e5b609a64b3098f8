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
