DROP TABLE synonym_set, product_type_attribute, product_type, attribute_definition;
DROP FUNCTION catalog.list_changed(), catalog.product_type_part_changed(), catalog.lock_synonyms(), catalog.count_synonyms();
DROP INDEX product_product_type_index;
