//! Writing what stands in columns, and reading it back.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    columns::{Attributes, Code, Columns},
    markets::{Amounts, Market, Markets},
    order::Order,
    row::Rows,
    save::{bitmap, map, read_bitmap, read_map},
    terms::Terms,
};
use crate::{
    domain::money::Currency,
    dump::{DumpError, Reader, Writer},
};

impl Columns {
    pub(super) fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.array(&self.ids, |id| id.into_bytes())?;
        to.array(&self.published, |at| at.to_le_bytes())?;
        to.array(&self.title_heads, |head| head.to_le_bytes())?;
        to.array(&self.texts, |text| text.to_le_bytes())?;
        let (data, starts, unused) = self.rows.parts();
        to.bytes(data)?;
        to.array(starts, |start| start.to_le_bytes())?;
        to.length(unused)
    }

    pub(super) fn read<R: Read>(&mut self, from: &mut Reader<R>) -> Result<(), DumpError> {
        self.ids = from.array(Uuid::from_bytes)?;
        self.published = from.array(i64::from_le_bytes)?;
        self.title_heads = from.array(i64::from_le_bytes)?;
        self.texts = from.array(u64::from_le_bytes)?;
        let (data, starts) = (from.bytes()?, from.array(u32::from_le_bytes)?);
        self.rows = Rows::from_parts(data, starts, usize::try_from(from.number()?).unwrap_or_default());
        Ok(())
    }
}

impl Attributes {
    pub(super) fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.length(self.of_code.len())?;
        for code in &self.of_code {
            to.bytes(code.name.as_bytes())?;
        }
        self.values.write(to)
    }

    pub(super) fn read<R: Read>(&mut self, from: &mut Reader<R>) -> Result<(), DumpError> {
        for number in (0_u32..).take(from.length(8)?) {
            let name: Arc<str> = from.text()?.into();
            self.codes.insert(Arc::clone(&name), number);
            self.of_code.push(Code { name, values: Vec::new(), postings: 0 });
        }
        self.values = Terms::read(from)?;
        for number in (0_u32..).take(self.values.len()) {
            let Some((code, _)) = self.values.value(number) else { continue };
            let code =
                self.of_code.get_mut(super::terms::at(*code)).ok_or(DumpError::Malformed("a value"))?;
            code.values.push(number);
            code.postings += self.values.set(number).map_or(0, roaring::RoaringBitmap::len);
        }
        Ok(())
    }
}

impl Markets {
    pub(super) fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.length(self.markets.len())?;
        for market in &self.markets {
            to.bytes(market.currency.code().as_bytes())?;
            to.array(&market.lowest.small, |amount| amount.to_le_bytes())?;
            map(to, &market.lowest.other)?;
            bitmap(to, &market.priced)?;
            bitmap(to, &market.several)?;
            market.ascending.write(to)?;
            market.descending.write(to)?;
        }
        Ok(())
    }

    pub(super) fn read<R: Read>(&mut self, from: &mut Reader<R>) -> Result<(), DumpError> {
        for number in (0_u32..).take(from.length(48)?) {
            let currency = Currency::parse(&from.text()?).ok_or(DumpError::Malformed("a currency"))?;
            let lowest = Amounts { small: from.array(u32::from_le_bytes)?, other: read_map(from)? };
            let (priced, several) = (read_bitmap(from)?, read_bitmap(from)?);
            let (ascending, descending) = (Order::read(from)?, Order::read(from)?);
            self.numbers.insert(currency, number);
            self.markets.push(Market { currency, lowest, priced, several, ascending, descending });
        }
        Ok(())
    }
}
