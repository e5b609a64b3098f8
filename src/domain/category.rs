//! Categories and brands as the store shows them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::document::BrandReference;

/// A category as the store shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreCategory {
    /// Identity of the category.
    pub id: Uuid,
    /// URL name, unique.
    pub slug: String,
    /// Name shown to shoppers.
    pub name: String,
    /// Text shown to shoppers.
    pub description: String,
    /// The category above; absent for a root.
    pub parent_id: Option<Uuid>,
    /// Slugs from the root to this category, joined by `/`.
    pub path: String,
}

/// A category and those below it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CategoryNode {
    /// The category.
    #[serde(flatten)]
    pub category: StoreCategory,
    /// Those directly below, in order.
    #[schema(no_recursion)]
    pub children: Vec<CategoryNode>,
}

/// The category tree.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CategoryTree {
    /// Roots, in order.
    pub items: Vec<CategoryNode>,
}

/// All brands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoreBrands {
    /// Brands by name.
    pub items: Vec<BrandReference>,
}

/// Builds the tree from categories in sibling order. One whose parent is missing is left out.
pub fn tree(categories: Vec<StoreCategory>) -> CategoryTree {
    let mut below: HashMap<Option<Uuid>, Vec<StoreCategory>> = HashMap::new();
    for category in categories {
        below.entry(category.parent_id).or_default().push(category);
    }
    CategoryTree { items: children(None, &mut below) }
}

fn children(
    parent: Option<Uuid>,
    below: &mut HashMap<Option<Uuid>, Vec<StoreCategory>>,
) -> Vec<CategoryNode> {
    // Taken out before going down: even a cycle in the data would end.
    let direct = below.remove(&parent).unwrap_or_default();
    direct
        .into_iter()
        .map(|category| {
            let children = children(Some(category.id), below);
            CategoryNode { category, children }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(number: u128, parent: Option<u128>) -> StoreCategory {
        StoreCategory {
            id: Uuid::from_u128(number),
            slug: number.to_string(),
            name: number.to_string(),
            description: String::new(),
            parent_id: parent.map(Uuid::from_u128),
            path: String::new(),
        }
    }

    #[test]
    fn keeps_sibling_order_and_survives_orphans() {
        let rows = vec![category(2, None), category(1, None), category(3, Some(1)), category(9, Some(8))];
        let tree = tree(rows);
        let roots: Vec<_> = tree.items.iter().map(|node| node.category.id.as_u128()).collect();
        assert_eq!(roots, [2, 1]);
        assert_eq!(tree.items[1].children[0].category.id.as_u128(), 3);
    }
}
