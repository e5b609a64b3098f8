DROP INDEX product_hidden_index;
