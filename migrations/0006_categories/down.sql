DROP FUNCTION catalog.category_changed(), catalog.place_category(), catalog.lock_tree() CASCADE;
