//! Tables as they go into a page: a title, what to know for reading it, rows.

/// One table.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    notes: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows yet.
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        let head = columns.iter().map(|&column| column.to_owned()).collect();
        Self { title: title.into(), notes: Vec::new(), rows: vec![head] }
    }

    /// Adds a line above the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// Writes it to standard output.
    pub(crate) fn print(&self) {
        println!("\n### {}\n", self.title);
        for note in &self.notes {
            println!("{note}");
        }
        println!();
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
            if number == 0 {
                let rules = widths.iter().map(|&width| "-".repeat(width));
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
    }
}

/// Whether a measured value keeps to its bound.
pub(crate) fn verdict(value: f64, bound: f64, unit: &str) -> String {
    let word = if value <= bound { "met" } else { "MISSED" };
    format!("≤ {bound} {unit}: {word}")
}
