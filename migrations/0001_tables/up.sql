-- The catalogue's tables. Truth lives here; triggers (later migrations) keep versions, documents and the log in step,
-- so that an edit made with psql counts like one made through the API.
-- Conventions: ids are UUIDs (version 7 from the application), times are timestamptz, money is minor units,
-- every constraint has a name (errors are mapped by it). Columns `version`, `updated_at` and `touched_xid` are kept by
-- triggers; what a statement sets them to is ignored.

CREATE SCHEMA catalog;
COMMENT ON SCHEMA catalog IS 'Functions of the catalogue; its tables are in public.';

CREATE TABLE catalog_identity (
  singleton boolean CONSTRAINT catalog_identity_pkey PRIMARY KEY DEFAULT true,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  CONSTRAINT catalog_identity_singleton_check CHECK (singleton)
);
INSERT INTO catalog_identity DEFAULT VALUES;
COMMENT ON TABLE catalog_identity IS 'Names this catalogue among others that share a cache server.';

CREATE TABLE currency (
  code text CONSTRAINT currency_pkey PRIMARY KEY,
  exponent smallint NOT NULL,
  CONSTRAINT currency_code_check CHECK (code ~ '^[A-Z]{3}$'),
  CONSTRAINT currency_exponent_check CHECK (exponent BETWEEN 0 AND 4)
);

CREATE TABLE brand (
  id uuid CONSTRAINT brand_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  version bigint NOT NULL DEFAULT 1,
  slug text COLLATE "C" NOT NULL CONSTRAINT brand_slug_key UNIQUE,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  touched_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT brand_slug_check CHECK (slug <> '' AND octet_length(slug) <= 200),
  CONSTRAINT brand_name_check CHECK (char_length(name) BETWEEN 1 AND 255)
);
CREATE INDEX brand_name_index ON brand (lower(name));

CREATE TABLE category (
  id uuid CONSTRAINT category_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  version bigint NOT NULL DEFAULT 1,
  parent_id uuid CONSTRAINT category_parent_fkey REFERENCES category,
  slug text COLLATE "C" NOT NULL CONSTRAINT category_slug_key UNIQUE,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  position integer NOT NULL DEFAULT 0,
  -- Slugs and ids from the root to this category, kept by trigger.
  path text COLLATE "C" NOT NULL DEFAULT '',
  lineage uuid[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  touched_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT category_slug_check CHECK (slug <> '' AND octet_length(slug) <= 200),
  CONSTRAINT category_name_check CHECK (char_length(name) BETWEEN 1 AND 255),
  CONSTRAINT category_depth_check CHECK (cardinality(lineage) <= 32)
);
CREATE INDEX category_parent_index ON category (parent_id, lower(name));

CREATE TABLE tag (
  id uuid CONSTRAINT tag_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  CONSTRAINT tag_name_check CHECK (char_length(name) BETWEEN 1 AND 255)
);
CREATE UNIQUE INDEX tag_name_key ON tag (lower(name));

-- Every edit of an aggregate updates its product row; room on the page keeps that update off the indexes (HOT).
CREATE TABLE product (
  id uuid CONSTRAINT product_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  version bigint NOT NULL DEFAULT 1,
  external_id text COLLATE "C" CONSTRAINT product_external_id_key UNIQUE,
  status text NOT NULL DEFAULT 'active',
  title text NOT NULL,
  description text NOT NULL DEFAULT '',
  product_type text,
  brand_id uuid CONSTRAINT product_brand_fkey REFERENCES brand,
  attributes jsonb NOT NULL DEFAULT '{}',
  seo_title text,
  seo_description text,
  published_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  touched_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT product_status_check CHECK (status IN ('draft', 'active', 'archived')),
  CONSTRAINT product_title_check CHECK (char_length(title) BETWEEN 1 AND 255),
  CONSTRAINT product_attributes_check CHECK (jsonb_typeof(attributes) = 'object'),
  CONSTRAINT product_published_check CHECK (status <> 'active' OR published_at IS NOT NULL)
) WITH (fillfactor = 85);
CREATE INDEX product_brand_index ON product (brand_id) WHERE brand_id IS NOT NULL;
-- The whole catalogue in both orders; only what the store shows.
CREATE INDEX product_newest_index ON product (published_at DESC, id DESC)
  WHERE status = 'active' AND deleted_at IS NULL;
CREATE INDEX product_title_index ON product (title COLLATE "C", id)
  WHERE status = 'active' AND deleted_at IS NULL;
CREATE INDEX product_bin_index ON product (id) WHERE deleted_at IS NOT NULL;

CREATE TABLE product_translation (
  product_id uuid NOT NULL CONSTRAINT product_translation_product_fkey REFERENCES product ON DELETE CASCADE,
  locale text NOT NULL,
  title text,
  description text,
  seo_title text,
  seo_description text,
  CONSTRAINT product_translation_pkey PRIMARY KEY (product_id, locale),
  CONSTRAINT product_translation_locale_check CHECK (locale ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$')
);

-- Current and retired URL names. A retired one still leads to its product, until another product takes it.
CREATE TABLE slug (
  slug text COLLATE "C" CONSTRAINT slug_pkey PRIMARY KEY,
  product_id uuid NOT NULL CONSTRAINT slug_product_fkey REFERENCES product ON DELETE CASCADE,
  is_current boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT slug_slug_check CHECK (slug <> '' AND octet_length(slug) <= 200)
);
CREATE INDEX slug_product_index ON slug (product_id);
CREATE UNIQUE INDEX slug_current_key ON slug (product_id) WHERE is_current;

CREATE TABLE product_option (
  id uuid CONSTRAINT product_option_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL CONSTRAINT product_option_product_fkey REFERENCES product ON DELETE CASCADE,
  name text NOT NULL,
  position integer NOT NULL DEFAULT 0,
  CONSTRAINT product_option_name_key UNIQUE (product_id, name),
  CONSTRAINT product_option_name_check CHECK (char_length(name) BETWEEN 1 AND 255)
);

CREATE TABLE option_value (
  id uuid CONSTRAINT option_value_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  option_id uuid NOT NULL CONSTRAINT option_value_option_fkey REFERENCES product_option ON DELETE CASCADE,
  value text NOT NULL,
  position integer NOT NULL DEFAULT 0,
  CONSTRAINT option_value_value_key UNIQUE (option_id, value),
  CONSTRAINT option_value_id_option_key UNIQUE (id, option_id),
  CONSTRAINT option_value_value_check CHECK (char_length(value) BETWEEN 1 AND 255)
);

CREATE TABLE variant (
  id uuid CONSTRAINT variant_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL CONSTRAINT variant_product_fkey REFERENCES product ON DELETE CASCADE,
  position integer NOT NULL DEFAULT 0,
  sku text COLLATE "C" CONSTRAINT variant_sku_key UNIQUE,
  barcode text,
  title text,
  attributes jsonb NOT NULL DEFAULT '{}',
  weight_grams integer,
  track_inventory boolean NOT NULL DEFAULT false,
  allow_backorder boolean NOT NULL DEFAULT false,
  low_stock_threshold integer NOT NULL DEFAULT 5,
  -- The stock as shoppers see it; kept by trigger, so that a sale is visible only when the band changes.
  availability text NOT NULL DEFAULT 'in_stock',
  CONSTRAINT variant_sku_check CHECK (sku <> '' AND char_length(sku) <= 255),
  CONSTRAINT variant_attributes_check CHECK (jsonb_typeof(attributes) = 'object'),
  CONSTRAINT variant_weight_check CHECK (weight_grams >= 0),
  CONSTRAINT variant_threshold_check CHECK (low_stock_threshold >= 0),
  CONSTRAINT variant_availability_check CHECK (availability IN ('in_stock', 'low_stock', 'backorder', 'out_of_stock'))
) WITH (fillfactor = 90);
CREATE INDEX variant_product_index ON variant (product_id, position);

CREATE TABLE variant_option_value (
  variant_id uuid NOT NULL CONSTRAINT variant_option_value_variant_fkey REFERENCES variant ON DELETE CASCADE,
  option_id uuid NOT NULL CONSTRAINT variant_option_value_option_fkey REFERENCES product_option ON DELETE CASCADE,
  value_id uuid NOT NULL,
  CONSTRAINT variant_option_value_pkey PRIMARY KEY (variant_id, option_id),
  -- No cascade: a value in use cannot be deleted under its variants.
  CONSTRAINT variant_option_value_value_fkey FOREIGN KEY (value_id, option_id) REFERENCES option_value (id, option_id)
);
CREATE INDEX variant_option_value_value_index ON variant_option_value (value_id);
CREATE INDEX variant_option_value_option_index ON variant_option_value (option_id);

CREATE TABLE price (
  variant_id uuid NOT NULL CONSTRAINT price_variant_fkey REFERENCES variant ON DELETE CASCADE,
  currency text NOT NULL CONSTRAINT price_currency_fkey REFERENCES currency,
  amount bigint NOT NULL,
  compare_at bigint,
  CONSTRAINT price_pkey PRIMARY KEY (variant_id, currency),
  -- 10^15 minor units: exact in a double, so JavaScript clients read it right.
  CONSTRAINT price_amount_check CHECK (amount BETWEEN 0 AND 1000000000000000),
  CONSTRAINT price_compare_at_check CHECK (compare_at BETWEEN 0 AND 1000000000000000)
) WITH (fillfactor = 90);

CREATE TABLE media (
  id uuid CONSTRAINT media_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  product_id uuid NOT NULL CONSTRAINT media_product_fkey REFERENCES product ON DELETE CASCADE,
  position integer NOT NULL DEFAULT 0,
  url text NOT NULL,
  alt text NOT NULL DEFAULT '',
  width integer,
  height integer,
  kind text NOT NULL DEFAULT 'image',
  CONSTRAINT media_url_check CHECK (url <> ''),
  CONSTRAINT media_kind_check CHECK (kind IN ('image', 'video', 'model3d')),
  CONSTRAINT media_width_check CHECK (width > 0),
  CONSTRAINT media_height_check CHECK (height > 0)
);
CREATE INDEX media_product_index ON media (product_id, position);

CREATE TABLE variant_media (
  variant_id uuid NOT NULL CONSTRAINT variant_media_variant_fkey REFERENCES variant ON DELETE CASCADE,
  media_id uuid NOT NULL CONSTRAINT variant_media_media_fkey REFERENCES media ON DELETE CASCADE,
  position integer NOT NULL DEFAULT 0,
  CONSTRAINT variant_media_pkey PRIMARY KEY (variant_id, media_id)
);
CREATE INDEX variant_media_media_index ON variant_media (media_id);

CREATE TABLE product_tag (
  product_id uuid NOT NULL CONSTRAINT product_tag_product_fkey REFERENCES product ON DELETE CASCADE,
  tag_id uuid NOT NULL CONSTRAINT product_tag_tag_fkey REFERENCES tag ON DELETE CASCADE,
  position integer NOT NULL DEFAULT 0,
  CONSTRAINT product_tag_pkey PRIMARY KEY (product_id, tag_id)
);
CREATE INDEX product_tag_tag_index ON product_tag (tag_id);

CREATE TABLE product_category (
  product_id uuid NOT NULL CONSTRAINT product_category_product_fkey REFERENCES product ON DELETE CASCADE,
  -- No cascade: a category in use cannot be deleted under its products.
  category_id uuid NOT NULL CONSTRAINT product_category_category_fkey REFERENCES category,
  position integer NOT NULL DEFAULT 0,
  CONSTRAINT product_category_pkey PRIMARY KEY (product_id, category_id)
);
CREATE INDEX product_category_category_index ON product_category (category_id);

CREATE TABLE location (
  id uuid CONSTRAINT location_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  code text NOT NULL CONSTRAINT location_code_key UNIQUE,
  CONSTRAINT location_code_check CHECK (char_length(code) BETWEEN 1 AND 255)
);

-- Sold from all day: room for HOT updates.
CREATE TABLE stock_level (
  variant_id uuid NOT NULL CONSTRAINT stock_level_variant_fkey REFERENCES variant ON DELETE CASCADE,
  location_id uuid NOT NULL CONSTRAINT stock_level_location_fkey REFERENCES location,
  quantity integer NOT NULL,
  CONSTRAINT stock_level_pkey PRIMARY KEY (variant_id, location_id)
) WITH (fillfactor = 70);
CREATE INDEX stock_level_location_index ON stock_level (location_id);

-- What category pages read: one narrow row per product in the store and category it is in, directly or below.
-- Derived; kept by triggers.
CREATE TABLE product_listing (
  product_id uuid NOT NULL CONSTRAINT product_listing_product_fkey REFERENCES product ON DELETE CASCADE,
  category_id uuid NOT NULL CONSTRAINT product_listing_category_fkey REFERENCES category ON DELETE CASCADE,
  published_at timestamptz NOT NULL,
  title text NOT NULL,
  CONSTRAINT product_listing_pkey PRIMARY KEY (product_id, category_id)
);
CREATE INDEX product_listing_newest_index ON product_listing (category_id, published_at DESC, product_id DESC);
CREATE INDEX product_listing_title_index ON product_listing (category_id, title COLLATE "C", product_id);

CREATE TABLE api_token (
  id uuid CONSTRAINT api_token_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  scope text NOT NULL,
  -- SHA-256 of the secret; the secret itself is shown once and stored nowhere.
  hash bytea NOT NULL CONSTRAINT api_token_hash_key UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT api_token_name_check CHECK (char_length(name) <= 255),
  CONSTRAINT api_token_scope_check CHECK (scope IN ('read', 'write')),
  CONSTRAINT api_token_hash_check CHECK (octet_length(hash) = 32)
);

-- ISO 4217 codes that have a minor unit, by the number of its digits.
INSERT INTO currency (code, exponent)
SELECT code, exponent FROM (VALUES
  (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  (2, 'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
      CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
      HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK
      MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
      SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD
      USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL'),
  (3, 'BHD IQD JOD KWD LYD OMR TND'),
  (4, 'CLF UYW')
) AS known (exponent, codes), regexp_split_to_table(codes, '\s+') AS code;
