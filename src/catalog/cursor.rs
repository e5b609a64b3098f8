//! Tokens of pages: which words of a list a cursor is bound to.

use super::messages::{Cursor, ListQuery, Sort};
use crate::domain::cursor::{self, BadCursor, Place};

/// Token of the page that starts after `end`, the last item of a page of `list`.
pub fn token(list: &ListQuery, end: Cursor) -> String {
    let place = Place { time_us: end.time_us, title: end.title.into(), id: end.id };
    cursor::encode(&words(list.category.as_deref(), list.sort), &place)
}

/// The place a token names in the list of this category and order.
pub fn place(category: Option<&str>, sort: Sort, token: &str) -> Result<Cursor, BadCursor> {
    let place = cursor::decode(&words(category, sort), token)?;
    Ok(Cursor { time_us: place.time_us, title: place.title.into(), id: place.id })
}

/// Filter and order, not the page's size: a client may change that on its way.
fn words(category: Option<&str>, sort: Sort) -> [&str; 3] {
    let sort = match sort {
        Sort::Newest => "newest",
        Sort::Title => "title",
    };
    match category {
        Some(category) => [sort, "category", category],
        None => [sort, "all", ""],
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_token_is_taken_by_its_own_list_only() {
        let end = Cursor { time_us: 5, title: "".into(), id: Uuid::nil() };
        let list = ListQuery { category: Some("lamps".into()), sort: Sort::Newest, limit: 20, after: None };
        let token = token(&list, end.clone());
        assert_eq!(place(Some("lamps"), Sort::Newest, &token), Ok(end));
        assert_eq!(place(Some("lamps"), Sort::Title, &token), Err(BadCursor));
        assert_eq!(place(Some("chairs"), Sort::Newest, &token), Err(BadCursor));
        assert_eq!(place(None, Sort::Newest, &token), Err(BadCursor));
    }
}
