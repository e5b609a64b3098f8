DROP TABLE catalog_event;
DROP SEQUENCE catalog_pos;
DROP FUNCTION catalog.stamp(), catalog.refresh_documents(uuid[]), catalog.record(bigint[], uuid[]),
  catalog.deps(text, text[]), catalog.dep(text, text);
