-- The category tree: places kept by trigger, moves carried to everything below.

-- One change of the tree at a time: two moves that are each fine could make a cycle together.
CREATE FUNCTION catalog.lock_tree() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4202);
  RETURN NULL;
END $$;

CREATE FUNCTION catalog.place_category() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  above public.category;
BEGIN
  IF NEW.parent_id IS NULL THEN
    NEW.path := NEW.slug;
    NEW.lineage := ARRAY[NEW.id];
  ELSE
    SELECT * INTO above FROM public.category WHERE id = NEW.parent_id;
    IF NEW.id = NEW.parent_id OR NEW.id = ANY (above.lineage) THEN
      RAISE EXCEPTION 'category % would be below itself', NEW.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'category_cycle_check', TABLE = 'category';
    END IF;
    NEW.path := concat_ws('/', above.path, NEW.slug);
    NEW.lineage := coalesce(above.lineage, '{}') || NEW.id;
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION catalog.category_changed() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  ids uuid[];
  moved uuid[];
  listings uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(id), array_agg(id) INTO ids, listings FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(id) INTO ids FROM before_rows;
    SELECT array_agg(DISTINCT above) INTO listings FROM before_rows CROSS JOIN unnest(lineage) AS above;
  ELSE
    SELECT array_agg(id) INTO ids FROM (TABLE after_rows EXCEPT ALL TABLE before_rows) d;
    IF ids IS NULL THEN RETURN NULL; END IF;
    SELECT array_agg(DISTINCT id) INTO moved
      FROM (SELECT id, path, lineage FROM after_rows EXCEPT ALL SELECT id, path, lineage FROM before_rows) d;
    SELECT array_agg(DISTINCT above) INTO listings FROM (
      (SELECT id, lineage FROM after_rows EXCEPT ALL SELECT id, lineage FROM before_rows)
      UNION ALL
      (SELECT id, lineage FROM before_rows EXCEPT ALL SELECT id, lineage FROM after_rows)) d
      CROSS JOIN unnest(lineage) AS above;
  END IF;
  IF ids IS NULL THEN RETURN NULL; END IF;
  PERFORM catalog.record(catalog.deps('category', ids::text[]) || catalog.deps('listing', listings::text[])
    || catalog.dep('categories', ''), '{}');
  IF moved IS NOT NULL THEN
    IF listings IS NOT NULL THEN
      PERFORM catalog.sync_listing((SELECT array_agg(DISTINCT product_id) FROM public.product_category
        WHERE category_id = ANY (moved)));
    END IF;
    -- The row trigger places the children anew, and this trigger theirs.
    IF EXISTS (SELECT FROM public.category WHERE parent_id = ANY (moved)) THEN
      UPDATE public.category SET parent_id = parent_id WHERE parent_id = ANY (moved);
    END IF;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER lock_tree BEFORE INSERT OR UPDATE OR DELETE ON category
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.lock_tree();
CREATE TRIGGER a_place BEFORE INSERT OR UPDATE ON category FOR EACH ROW EXECUTE FUNCTION catalog.place_category();
CREATE TRIGGER log_insert AFTER INSERT ON category REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.category_changed();
CREATE TRIGGER log_update AFTER UPDATE ON category REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.category_changed();
CREATE TRIGGER log_delete AFTER DELETE ON category REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION catalog.category_changed();
