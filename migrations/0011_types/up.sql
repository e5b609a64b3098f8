-- Product types with typed attributes, and synonyms for searching.
--
-- A definition belongs to the catalogue and types take it up, as in shops that have grown types: `attr.colour` must mean one
-- thing in a list over all types, with one label and one set of values, and a facet is counted across them.
--
-- What products hold stays where it is: `product.product_type` is a text and names a type by its code, attributes are JSON.
-- So a definition can change without a rewrite of products; what no longer fits is told by the admin API.

CREATE TABLE attribute_definition (
  id uuid CONSTRAINT attribute_definition_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  version bigint NOT NULL DEFAULT 1,
  -- The name of the attribute in products.
  code text COLLATE "C" NOT NULL CONSTRAINT attribute_definition_code_key UNIQUE,
  label text NOT NULL,
  kind text NOT NULL DEFAULT 'text',
  -- What an enum may be, in the order shown.
  enum_values text[] NOT NULL DEFAULT '{}',
  filterable boolean NOT NULL DEFAULT false,
  searchable boolean NOT NULL DEFAULT false,
  facet boolean NOT NULL DEFAULT false,
  -- Variants have it, not products.
  variant_level boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  touched_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT attribute_definition_code_check CHECK (code <> '' AND char_length(code) <= 100),
  CONSTRAINT attribute_definition_label_check CHECK (char_length(label) BETWEEN 1 AND 255),
  CONSTRAINT attribute_definition_kind_check CHECK (kind IN ('text', 'number', 'boolean', 'date', 'enum')),
  CONSTRAINT attribute_definition_values_check CHECK (
    CASE kind WHEN 'enum' THEN cardinality(enum_values) BETWEEN 1 AND 500 ELSE enum_values = '{}' END
    AND array_position(enum_values, NULL) IS NULL)
);

CREATE TABLE product_type (
  id uuid CONSTRAINT product_type_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  version bigint NOT NULL DEFAULT 1,
  -- What products of this type have as their `product_type`.
  code text COLLATE "C" NOT NULL CONSTRAINT product_type_code_key UNIQUE,
  name text NOT NULL,
  -- Whether attributes that the type does not have are refused.
  strict boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  touched_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT product_type_code_check CHECK (code <> '' AND char_length(code) <= 255),
  CONSTRAINT product_type_name_check CHECK (char_length(name) BETWEEN 1 AND 255)
);

CREATE TABLE product_type_attribute (
  product_type_id uuid NOT NULL CONSTRAINT product_type_attribute_type_fkey REFERENCES product_type ON DELETE CASCADE,
  -- No cascade: a definition that a type has taken up cannot be deleted under it.
  attribute_id uuid NOT NULL CONSTRAINT product_type_attribute_attribute_fkey REFERENCES attribute_definition,
  position integer NOT NULL DEFAULT 0,
  CONSTRAINT product_type_attribute_pkey PRIMARY KEY (product_type_id, attribute_id)
);
CREATE INDEX product_type_attribute_attribute_index ON product_type_attribute (attribute_id);

-- The products of a type, for those who look for values that do not fit it.
CREATE INDEX product_product_type_index ON product (product_type, id)
  WHERE product_type IS NOT NULL AND deleted_at IS NULL;

-- Words of one set are looked for together.
CREATE TABLE synonym_set (
  id uuid CONSTRAINT synonym_set_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  version bigint NOT NULL DEFAULT 1,
  words text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  touched_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT synonym_set_words_check CHECK (cardinality(words) BETWEEN 2 AND 20 AND array_position(words, NULL) IS NULL)
);

CREATE TRIGGER b_version BEFORE UPDATE ON attribute_definition FOR EACH ROW EXECUTE FUNCTION catalog.raise_version();
CREATE TRIGGER b_version BEFORE UPDATE ON product_type FOR EACH ROW EXECUTE FUNCTION catalog.raise_version();
CREATE TRIGGER b_version BEFORE UPDATE ON synonym_set FOR EACH ROW EXECUTE FUNCTION catalog.raise_version();
CREATE TRIGGER b_version_start BEFORE INSERT ON attribute_definition
  FOR EACH ROW EXECUTE FUNCTION catalog.start_version();
CREATE TRIGGER b_version_start BEFORE INSERT ON product_type FOR EACH ROW EXECUTE FUNCTION catalog.start_version();
CREATE TRIGGER b_version_start BEFORE INSERT ON synonym_set FOR EACH ROW EXECUTE FUNCTION catalog.start_version();

-- Small tables that are read as a whole: any change of a row is one of the whole, named by the trigger's argument.
CREATE FUNCTION catalog.list_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT EXISTS (SELECT FROM after_rows) THEN RETURN NULL; END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT FROM before_rows) THEN RETURN NULL; END IF;
  ELSIF TG_OP = 'UPDATE' THEN
    IF NOT EXISTS (TABLE after_rows EXCEPT ALL TABLE before_rows) THEN RETURN NULL; END IF;
  END IF;
  PERFORM catalog.record(ARRAY[catalog.dep(TG_ARGV[0], '')], '{}');
  RETURN NULL;
END $$;

-- The attributes of a type are a part of it.
CREATE FUNCTION catalog.product_type_part_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  ids uuid[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT product_type_id) INTO ids FROM after_rows;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT product_type_id) INTO ids FROM before_rows;
  ELSIF TG_OP = 'UPDATE' THEN
    SELECT array_agg(DISTINCT product_type_id) INTO ids FROM (
      (TABLE after_rows EXCEPT ALL TABLE before_rows) UNION ALL (TABLE before_rows EXCEPT ALL TABLE after_rows)) d;
  ELSE
    SELECT array_agg(id) INTO ids FROM public.product_type;
  END IF;
  IF ids IS NULL THEN RETURN NULL; END IF;
  PERFORM FROM public.product_type WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
  UPDATE public.product_type SET touched_xid = pg_current_xact_id(), updated_at = now()
   WHERE id = ANY (ids) AND (touched_xid <> pg_current_xact_id() OR updated_at <> now());
  PERFORM catalog.record(ARRAY[catalog.dep('attributes', '')], '{}');
  RETURN NULL;
END $$;

-- Every search reads all sets, so there are not many. Lock 4204 lets those who add some count one after the other; nobody
-- who has it waits for another lock of the catalogue but the one of the commit.
CREATE FUNCTION catalog.lock_synonyms() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(4204);
  RETURN NULL;
END $$;

CREATE FUNCTION catalog.count_synonyms() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM public.synonym_set) > 1000 THEN
    RAISE EXCEPTION 'there are 1000 sets of synonyms already'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'synonym_set_count_check';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lock_synonyms BEFORE INSERT ON synonym_set FOR EACH STATEMENT EXECUTE FUNCTION catalog.lock_synonyms();
CREATE TRIGGER count_synonyms AFTER INSERT ON synonym_set FOR EACH STATEMENT EXECUTE FUNCTION catalog.count_synonyms();

DO $$
DECLARE
  target text;
  handler text;
  trigger text;
BEGIN
  FOR target, handler IN VALUES
    ('attribute_definition', 'list_changed(''attributes'')'), ('product_type', 'list_changed(''attributes'')'),
    ('product_type_attribute', 'product_type_part_changed()'), ('synonym_set', 'list_changed(''synonyms'')')
  LOOP
    EXECUTE format('CREATE TRIGGER log_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS after_rows
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%s', target, handler);
    EXECUTE format('CREATE TRIGGER log_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%s', target, handler);
    EXECUTE format('CREATE TRIGGER log_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS before_rows
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%s', target, handler);
    EXECUTE format('CREATE TRIGGER log_truncate AFTER TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION catalog.%s', target, handler);
    -- In replication sessions too: rows applied there reach readers all the same.
    FOR trigger IN SELECT tgname FROM pg_trigger WHERE tgrelid = format('public.%I', target)::regclass AND NOT tgisinternal
    LOOP
      EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', target, trigger);
    END LOOP;
  END LOOP;
END $$;
