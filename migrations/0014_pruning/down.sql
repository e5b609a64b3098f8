ALTER TABLE product_listing RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
ALTER TABLE stock_level RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE price RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE variant RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE product_document RESET (autovacuum_vacuum_scale_factor);
ALTER TABLE product RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE catalog_event RESET (
  autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,
  autovacuum_vacuum_insert_threshold, autovacuum_vacuum_insert_scale_factor
);
ALTER TABLE catalog_member RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor);
DROP TABLE catalog_pruned;
