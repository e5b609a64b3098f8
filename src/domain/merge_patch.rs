//! JSON Merge Patch (RFC 7396): how `PATCH` changes a document.
//!
//! Objects merge, `null` deletes, everything else (arrays too) replaces. Arrays of variants and prices can therefore be
//! replaced, not edited in place; the store matches their members to the existing rows.

use serde_json::{Map, Value};

/// Applies `patch` to `target` in place, as the pseudocode of RFC 7396 §2 does.
///
/// Recurses as deep as the patch does, which the JSON parser has bounded (128 levels).
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in changes {
        if change.is_null() {
            // Order of the remaining members is kept: it is the order editors see.
            members.shift_remove(name);
        } else {
            apply(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(5, 48, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-d]{1,2}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn table_of_the_standard() {
        let table = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (original, patch, result) in table {
            let mut target = original.clone();
            apply(&mut target, &patch);
            assert_eq!(target, result, "{original} patched with {patch}");
        }
    }

    proptest! {
        /// A patch applied twice is a patch applied once, and none of its nulls is left where it deletes.
        #[test]
        fn hostile_patches_apply_once(original in document(), patch in document()) {
            let mut once = original.clone();
            apply(&mut once, &patch);
            let mut twice = once.clone();
            apply(&mut twice, &patch);
            prop_assert_eq!(&once, &twice);
            if let (Value::Object(members), Value::Object(changes)) = (&once, &patch) {
                for (name, change) in changes {
                    prop_assert_eq!(members.contains_key(name), !change.is_null(), "{}", name);
                }
            }
        }
    }
}
