-- Stock as a band: in stock, low, on backorder, out. Only a change of the band is visible, so only that makes a version
-- and an event; a sale is one row update.

CREATE FUNCTION catalog.band(tracked boolean, backorder boolean, threshold integer, quantity bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN NOT tracked OR quantity > threshold THEN 'in_stock'
    WHEN quantity > 0 THEN 'low_stock'
    WHEN backorder THEN 'backorder'
    ELSE 'out_of_stock' END
$$;

CREATE FUNCTION catalog.set_availability() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.availability := catalog.band(NEW.track_inventory, NEW.allow_backorder, NEW.low_stock_threshold, 0);
  ELSIF (NEW.track_inventory, NEW.allow_backorder, NEW.low_stock_threshold, NEW.availability, NEW.id)
     <> (OLD.track_inventory, OLD.allow_backorder, OLD.low_stock_threshold, OLD.availability, OLD.id) THEN
    NEW.availability := catalog.band(NEW.track_inventory, NEW.allow_backorder, NEW.low_stock_threshold,
      (SELECT coalesce(sum(quantity), 0) FROM public.stock_level WHERE variant_id = NEW.id));
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER a_availability BEFORE INSERT OR UPDATE ON variant FOR EACH ROW EXECUTE FUNCTION catalog.set_availability();

CREATE FUNCTION catalog.stock_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT variant_id) INTO ids FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT variant_id) INTO ids FROM before_rows;
  ELSE
    SELECT array_agg(DISTINCT variant_id) INTO ids FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
  END IF;
  IF ids IS NULL THEN RETURN NULL; END IF;
  -- Locked before summing: two sales at two locations must not each miss the other.
  PERFORM FROM public.variant v WHERE v.id = ANY (ids) ORDER BY v.id FOR NO KEY UPDATE;
  SELECT array_agg(v.id) INTO ids FROM public.variant v
   WHERE v.id = ANY (ids) AND v.availability <> catalog.band(v.track_inventory, v.allow_backorder, v.low_stock_threshold,
     (SELECT coalesce(sum(quantity), 0) FROM public.stock_level s WHERE s.variant_id = v.id));
  IF ids IS NOT NULL THEN
    UPDATE public.variant SET availability = '' WHERE id = ANY (ids); -- the row trigger computes the right one
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER band_insert AFTER INSERT ON stock_level REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.stock_changed();
CREATE TRIGGER band_update AFTER UPDATE ON stock_level REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.stock_changed();
CREATE TRIGGER band_delete AFTER DELETE ON stock_level REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.stock_changed();

-- Every trigger of the catalogue fires in replication sessions too: rows applied there reach readers all the same.
DO $$
DECLARE
  target record;
BEGIN
  FOR target IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
     WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', target.relation, target.tgname);
  END LOOP;
END $$;
