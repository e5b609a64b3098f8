-- The log is pruned from its low end, up to a position that is kept here: asking for min(pos) would walk over everything
-- pruned since the last vacuum.
CREATE TABLE catalog_pruned (
  singleton boolean CONSTRAINT catalog_pruned_pkey PRIMARY KEY DEFAULT true,
  pos bigint NOT NULL DEFAULT 0,
  CONSTRAINT catalog_pruned_singleton_check CHECK (singleton)
) WITH (fillfactor = 40);
INSERT INTO catalog_pruned DEFAULT VALUES;
COMMENT ON TABLE catalog_pruned IS 'Events up to this position may be gone.';

-- Vacuum by what changed, not by the size of the table: the default of a fifth is 200,000 dead rows at a million.
-- Rows that all instances renew, over and over, on one page:
ALTER TABLE catalog_member SET (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
-- Every event is inserted, stamped and once deleted; what reads it needs the visible low end near.
ALTER TABLE catalog_event SET (
  autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_threshold = 20000, autovacuum_vacuum_insert_scale_factor = 0.05
);
-- Edited all day, mostly without touching an indexed column: pages are to have room for the next version.
ALTER TABLE product SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE product_document SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE variant SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE price SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE stock_level SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
-- Lists are read by index alone while an instance has not read them: that needs the visibility map.
ALTER TABLE product_listing SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
