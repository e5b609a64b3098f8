//! Tokens of pages: what of a list a cursor is bound to.

use crate::domain::{
    cursor::{self, BadCursor},
    list::{ListQuery, Start},
};

/// Token of the page of `list` that starts or ends there.
pub fn token(list: &ListQuery, start: &Start) -> String {
    cursor::encode(&words(list), start)
}

/// The place a token names in this list.
pub fn start(list: &ListQuery, token: &str) -> Result<Start, BadCursor> {
    cursor::decode(&words(list), token)
}

/// Filter, order and currency; not the page's size, nor what is counted: a client may change these on its way.
fn words(list: &ListQuery) -> Vec<u8> {
    let currency = list.currency.map(|currency| currency.code().to_owned());
    // Serialising plain values into memory cannot fail.
    postcard::to_stdvec(&(&list.filter, list.sort, currency)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        list::{Filter, Place, Sort, SortKey},
        money::Currency,
    };

    #[test]
    fn a_token_is_taken_by_its_own_list_only() {
        let list = |category: &str, sort, currency: &str| ListQuery {
            filter: Filter { category: Some(category.into()), ..Filter::default() },
            sort,
            currency: Currency::parse(currency),
            ..ListQuery::default()
        };
        let end = Start::After(Place { key: SortKey::Amount(Some(5)), id: Uuid::nil() });
        let lamps = list("lamps", Sort::Price, "USD");
        let token = token(&lamps, &end);
        assert_eq!(start(&lamps, &token), Ok(end.clone()));
        assert_eq!(start(&ListQuery { limit: 7, has_total: true, ..lamps }, &token), Ok(end));
        assert_eq!(start(&list("lamps", Sort::Price, "EUR"), &token), Err(BadCursor));
        assert_eq!(start(&list("lamps", Sort::PriceDescending, "USD"), &token), Err(BadCursor));
        assert_eq!(start(&list("chairs", Sort::Price, "USD"), &token), Err(BadCursor));
    }
}
