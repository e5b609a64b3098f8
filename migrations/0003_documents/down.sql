DROP EVENT TRIGGER IF EXISTS catalog_table_rewritten;
DROP FUNCTION catalog.table_rewritten(), catalog.flush();
DROP FUNCTION catalog.store_documents(uuid, integer);
CREATE OR REPLACE FUNCTION catalog.refresh_documents(ids uuid[]) RETURNS void LANGUAGE sql AS $$ SELECT $$;
DROP FUNCTION catalog.build_document(uuid), catalog.build_variants(uuid, text), catalog.instant(timestamptz);
DROP TABLE product_document;
