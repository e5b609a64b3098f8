CREATE INDEX variant_option_value_option_index ON variant_option_value (option_id);
ALTER TABLE variant_option_value ADD CONSTRAINT variant_option_value_option_fkey
  FOREIGN KEY (option_id) REFERENCES product_option ON DELETE CASCADE;
