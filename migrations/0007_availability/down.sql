DROP TRIGGER band_insert ON stock_level;
DROP TRIGGER band_update ON stock_level;
DROP TRIGGER band_delete ON stock_level;
DROP TRIGGER a_availability ON variant;
DROP FUNCTION catalog.stock_changed(), catalog.set_availability(), catalog.band(boolean, boolean, integer, bigint);
