DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['product', 'brand', 'category', 'product_translation', 'slug', 'product_option',
    'option_value', 'variant', 'variant_option_value', 'price', 'media', 'variant_media', 'product_tag',
    'product_category', 'stock_level']
  LOOP
    EXECUTE format('DROP TRIGGER log_truncate ON %I', target);
  END LOOP;
END $$;
DROP FUNCTION catalog.truncated(), catalog.brand_changed(), catalog.tag_changed(), catalog.product_category_changed(),
  catalog.slug_changed(), catalog.variant_changed(), catalog.option_value_changed(), catalog.variant_part_changed(),
  catalog.product_part_changed() CASCADE;
