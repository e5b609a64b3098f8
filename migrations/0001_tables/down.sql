DROP TABLE api_token, product_listing, stock_level, location, product_category, product_tag, variant_media, media, price,
  variant_option_value, variant, option_value, product_option, slug, product_translation, product, tag, category, brand,
  currency, catalog_identity;
DROP SCHEMA catalog;
