-- What the store does not show, for whoever checks that it does not: few of many, and found without a walk over all products.

CREATE INDEX product_hidden_index ON product (id) WHERE status <> 'active' OR deleted_at IS NOT NULL;
