DROP FUNCTION catalog.product_changed(), catalog.publish(), catalog.start_version(), catalog.raise_version() CASCADE;
DROP FUNCTION catalog.sync_listing(uuid[]), catalog.sku_deps(uuid[]), catalog.slug_deps(uuid[]),
  catalog.with_above(uuid[]), catalog.categories_of(uuid[]), catalog.touch(uuid[]), catalog.spoil_documents(uuid[]);
