// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, Clone, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "xid8", schema = "pg_catalog"))]
    pub struct Xid8;
}

diesel::table! {
    api_token (id) {
        id -> Uuid,
        name -> Text,
        scope -> Text,
        hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        manages -> Bool,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    attribute_definition (id) {
        id -> Uuid,
        version -> Int8,
        code -> Text,
        label -> Text,
        kind -> Text,
        enum_values -> Array<Nullable<Text>>,
        filterable -> Bool,
        searchable -> Bool,
        facet -> Bool,
        variant_level -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        touched_xid -> Xid8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    audit_entry (id) {
        id -> Uuid,
        at -> Timestamptz,
        token_id -> Nullable<Uuid>,
        actor -> Text,
        action -> Text,
        method -> Nullable<Text>,
        path -> Text,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
        xid -> Xid8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    brand (id) {
        id -> Uuid,
        version -> Int8,
        slug -> Text,
        name -> Text,
        description -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        touched_xid -> Xid8,
    }
}

diesel::table! {
    catalog_era (singleton) {
        singleton -> Bool,
        id -> Uuid,
        timeline -> Text,
        since -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    catalog_event (xid) {
        xid -> Xid8,
        pos -> Nullable<Int8>,
        kind -> Text,
        nonce -> Uuid,
        deps -> Array<Nullable<Int8>>,
        products -> Nullable<Array<Nullable<Uuid>>>,
        at -> Timestamptz,
        joined -> Array<Nullable<Uuid>>,
        departed -> Array<Nullable<Uuid>>,
        stamped_at -> Nullable<Timestamptz>,
        listed -> Nullable<Array<Nullable<Uuid>>>,
    }
}

diesel::table! {
    catalog_identity (singleton) {
        singleton -> Bool,
        id -> Uuid,
    }
}

diesel::table! {
    catalog_member (id) {
        id -> Uuid,
        url -> Text,
        lease_ms -> Int4,
        renew_seq -> Int8,
        acked -> Int8,
        joined_at -> Timestamptz,
    }
}

diesel::table! {
    catalog_pruned (singleton) {
        singleton -> Bool,
        pos -> Int8,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    category (id) {
        id -> Uuid,
        version -> Int8,
        parent_id -> Nullable<Uuid>,
        slug -> Text,
        name -> Text,
        description -> Text,
        position -> Int4,
        path -> Text,
        lineage -> Array<Nullable<Uuid>>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        touched_xid -> Xid8,
    }
}

diesel::table! {
    currency (code) {
        code -> Text,
        exponent -> Int2,
    }
}

diesel::table! {
    location (id) {
        id -> Uuid,
        code -> Text,
    }
}

diesel::table! {
    media (id) {
        id -> Uuid,
        product_id -> Uuid,
        position -> Int4,
        url -> Text,
        alt -> Text,
        width -> Nullable<Int4>,
        height -> Nullable<Int4>,
        kind -> Text,
    }
}

diesel::table! {
    option_value (id) {
        id -> Uuid,
        option_id -> Uuid,
        value -> Text,
        position -> Int4,
    }
}

diesel::table! {
    price (variant_id, currency) {
        variant_id -> Uuid,
        currency -> Text,
        amount -> Int8,
        compare_at -> Nullable<Int8>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    product (id) {
        id -> Uuid,
        version -> Int8,
        external_id -> Nullable<Text>,
        status -> Text,
        title -> Text,
        description -> Text,
        product_type -> Nullable<Text>,
        brand_id -> Nullable<Uuid>,
        attributes -> Jsonb,
        seo_title -> Nullable<Text>,
        seo_description -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        touched_xid -> Xid8,
    }
}

diesel::table! {
    product_category (product_id, category_id) {
        product_id -> Uuid,
        category_id -> Uuid,
        position -> Int4,
    }
}

diesel::table! {
    product_document (product_id) {
        product_id -> Uuid,
        version -> Int8,
        body -> Text,
    }
}

diesel::table! {
    product_listing (product_id, category_id) {
        product_id -> Uuid,
        category_id -> Uuid,
        published_at -> Timestamptz,
        title -> Text,
    }
}

diesel::table! {
    product_option (id) {
        id -> Uuid,
        product_id -> Uuid,
        name -> Text,
        position -> Int4,
    }
}

diesel::table! {
    product_tag (product_id, tag_id) {
        product_id -> Uuid,
        tag_id -> Uuid,
        position -> Int4,
    }
}

diesel::table! {
    product_translation (product_id, locale) {
        product_id -> Uuid,
        locale -> Text,
        title -> Nullable<Text>,
        description -> Nullable<Text>,
        seo_title -> Nullable<Text>,
        seo_description -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    product_type (id) {
        id -> Uuid,
        version -> Int8,
        code -> Text,
        name -> Text,
        strict -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        touched_xid -> Xid8,
    }
}

diesel::table! {
    product_type_attribute (product_type_id, attribute_id) {
        product_type_id -> Uuid,
        attribute_id -> Uuid,
        position -> Int4,
    }
}

diesel::table! {
    slug (slug_) {
        #[sql_name = "slug"]
        slug_ -> Text,
        product_id -> Uuid,
        is_current -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    stock_level (variant_id, location_id) {
        variant_id -> Uuid,
        location_id -> Uuid,
        quantity -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Xid8;

    synonym_set (id) {
        id -> Uuid,
        version -> Int8,
        words -> Array<Nullable<Text>>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        touched_xid -> Xid8,
    }
}

diesel::table! {
    tag (id) {
        id -> Uuid,
        name -> Text,
    }
}

diesel::table! {
    variant (id) {
        id -> Uuid,
        product_id -> Uuid,
        position -> Int4,
        sku -> Nullable<Text>,
        barcode -> Nullable<Text>,
        title -> Nullable<Text>,
        attributes -> Jsonb,
        weight_grams -> Nullable<Int4>,
        track_inventory -> Bool,
        allow_backorder -> Bool,
        low_stock_threshold -> Int4,
        availability -> Text,
    }
}

diesel::table! {
    variant_media (variant_id, media_id) {
        variant_id -> Uuid,
        media_id -> Uuid,
        position -> Int4,
    }
}

diesel::table! {
    variant_option_value (variant_id, option_id) {
        variant_id -> Uuid,
        option_id -> Uuid,
        value_id -> Uuid,
    }
}

diesel::joinable!(media -> product (product_id));
diesel::joinable!(option_value -> product_option (option_id));
diesel::joinable!(price -> currency (currency));
diesel::joinable!(price -> variant (variant_id));
diesel::joinable!(product -> brand (brand_id));
diesel::joinable!(product_category -> category (category_id));
diesel::joinable!(product_category -> product (product_id));
diesel::joinable!(product_document -> product (product_id));
diesel::joinable!(product_listing -> category (category_id));
diesel::joinable!(product_option -> product (product_id));
diesel::joinable!(product_tag -> product (product_id));
diesel::joinable!(product_tag -> tag (tag_id));
diesel::joinable!(product_translation -> product (product_id));
diesel::joinable!(product_type_attribute -> attribute_definition (attribute_id));
diesel::joinable!(product_type_attribute -> product_type (product_type_id));
diesel::joinable!(slug -> product (product_id));
diesel::joinable!(stock_level -> location (location_id));
diesel::joinable!(stock_level -> variant (variant_id));
diesel::joinable!(variant -> product (product_id));
diesel::joinable!(variant_media -> media (media_id));
diesel::joinable!(variant_media -> variant (variant_id));
diesel::joinable!(variant_option_value -> product_option (option_id));
diesel::joinable!(variant_option_value -> variant (variant_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_token,
    attribute_definition,
    audit_entry,
    brand,
    catalog_era,
    catalog_event,
    catalog_identity,
    catalog_member,
    catalog_pruned,
    category,
    currency,
    location,
    media,
    option_value,
    price,
    product,
    product_category,
    product_document,
    product_listing,
    product_option,
    product_tag,
    product_translation,
    product_type,
    product_type_attribute,
    slug,
    stock_level,
    synonym_set,
    tag,
    variant,
    variant_media,
    variant_option_value,
);
