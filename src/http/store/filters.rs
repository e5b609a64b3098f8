//! The filters and facets of a list, read from its parameters: sorted and each once, so that equal lists have equal keys.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::list::{AttributeFilter, Facet, Filter},
    http::parameters::Query,
    limits::{AMOUNT_MAX, FACETS_MAX, FILTER_VALUES_MAX, SEARCH_TEXT_MAX},
};

/// Takes the filters.
pub(super) fn read(query: &mut Query<'_>) -> Filter {
    let category = query.text("category").map(|text| Box::from(&*text));
    let brands = sorted(query.texts("brand", FILTER_VALUES_MAX));
    let tags = sorted(query.texts("tag", FILTER_VALUES_MAX).into_iter().map(|tag| tag.to_lowercase()));
    let price_min = amount(query, "price_min");
    let price_max = amount(query, "price_max");
    if let (Some(min), Some(max)) = (price_min, price_max)
        && min > max
    {
        query.fault("price_max", "out_of_range", "must not be below price_min");
    }
    let in_stock = query.flag("in_stock");
    let text = query.read("q", "too_long", "at most 200 characters", |text| {
        (text.chars().count() <= SEARCH_TEXT_MAX)
            .then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
    });
    Filter {
        category,
        brands,
        tags,
        price_min,
        price_max,
        in_stock,
        attributes: attributes(query),
        text: text.filter(|text| !text.is_empty()).map(Into::into),
    }
}

/// Takes the facets to count.
pub(super) fn facets(query: &mut Query<'_>) -> Box<[Facet]> {
    let detail = "up to ten of brand, category, price and attr.NAME, separated by commas";
    let facets = query.read("facets", "unknown_facet", detail, |text| {
        let all = text.split(',').map(facet).collect::<Option<BTreeSet<_>>>()?;
        (all.len() <= FACETS_MAX).then_some(all)
    });
    facets.unwrap_or_default().into_iter().collect()
}

fn facet(name: &str) -> Option<Facet> {
    match name {
        "brand" => Some(Facet::Brand),
        "category" => Some(Facet::Category),
        "price" => Some(Facet::Price),
        _ => name
            .strip_prefix("attr.")
            .filter(|code| !code.is_empty())
            .map(|code| Facet::Attribute(code.into())),
    }
}

fn amount(query: &mut Query<'_>, name: &'static str) -> Option<i64> {
    query.read(name, "out_of_range", "a whole number of minor units, at most 10^15", |text| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().filter(|amount| *amount <= AMOUNT_MAX)
    })
}

fn attributes(query: &mut Query<'_>) -> Box<[AttributeFilter]> {
    let mut by_code = BTreeMap::<Box<str>, BTreeSet<Box<str>>>::new();
    for (code, value) in query.prefixed("attr.", FILTER_VALUES_MAX) {
        by_code.entry(code.into()).or_default().insert(value.into());
    }
    let filter = |(code, values): (_, BTreeSet<Box<str>>)| AttributeFilter {
        code,
        values: values.into_iter().collect(),
    };
    by_code.into_iter().map(filter).collect()
}

fn sorted(texts: impl IntoIterator<Item = String>) -> Box<[Box<str>]> {
    texts.into_iter().map(Into::into).collect::<BTreeSet<Box<str>>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        let mut query = Query::parse(text);
        let filter = read(&mut query);
        query.finish().unwrap();
        filter
    }

    #[test]
    fn equal_filters_are_equal_however_they_are_written() {
        let one = filter("brand=b&brand=a&attr.size=M&attr.colour=red&attr.size=L&tag=New&q=+floor++lamp");
        let other =
            filter("attr.size=L&attr.size=M&tag=new&brand=a&brand=b&brand=a&q=floor+lamp&attr.colour=red");
        assert_eq!(one, other);
        assert_eq!(one.text.as_deref(), Some("floor lamp"));
        assert_eq!(one.attributes.len(), 2);
    }

    #[test]
    fn every_wrong_filter_is_named() {
        let mut query =
            Query::parse("price_min=5&price_max=4&in_stock=yes&brand=&attr.=x&facets=brand,colour&q=%00");
        read(&mut query);
        facets(&mut query);
        let problem = query.finish().unwrap_err();
        let mut names: Vec<_> =
            problem.errors().iter().filter_map(|fault| fault.parameter.as_deref()).collect();
        names.sort_unstable();
        assert_eq!(names, ["attr.", "brand", "facets", "in_stock", "price_max", "q"]);
    }
}
