-- Every new row pays for each foreign key and each index of its table. That a variant's choice has an option need not be asked
-- twice: the pair of value and option is one of `option_value`, whose option is there. So an option in use cannot be deleted
-- under its variants, as little as its values can.
ALTER TABLE variant_option_value DROP CONSTRAINT variant_option_value_option_fkey;
DROP INDEX variant_option_value_option_index;
