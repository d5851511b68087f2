//! Tables that fit the terminal: long cells are cut, then expendable columns are dropped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between two columns.
const GAP: usize = 2;
/// Minimum width of a column that is cut.
const LEAST: usize = 12;

pub(crate) struct Column {
    title: &'static str,
    is_number: bool,
    shrinks: bool,
    /// The column with the highest number is dropped first. 0 is never dropped.
    expendable: u8,
}

impl Column {
    const fn new(title: &'static str, is_number: bool, shrinks: bool) -> Self {
        Self { title, is_number, shrinks, expendable: 0 }
    }

    /// Never cut, aligned left.
    pub(crate) const fn text(title: &'static str) -> Self {
        Self::new(title, false, false)
    }

    /// Never cut, aligned right.
    pub(crate) const fn number(title: &'static str) -> Self {
        Self::new(title, true, false)
    }

    /// Cut if the terminal is narrow.
    pub(crate) const fn long(title: &'static str) -> Self {
        Self::new(title, false, true)
    }

    /// Dropped if the table is still too wide. The highest rank goes first.
    pub(crate) const fn expendable(self, rank: u8) -> Self {
        Self { expendable: rank, ..self }
    }
}

pub(crate) struct Table {
    columns: Vec<Column>,
    /// The first row has the titles.
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: impl Into<Vec<Column>>) -> Self {
        let columns = columns.into();
        let titles = columns.iter().map(|column| column.title.to_owned()).collect();
        Self { columns, rows: vec![titles] }
    }

    /// Adds a row: one cell per column, without control characters.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// The table at the width of the terminal, or at full width if stdout is not a terminal.
    pub(crate) fn for_output(self) -> String {
        let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
        self.within(width)
    }

    fn within(self, width: Option<usize>) -> String {
        let widths = self.fit(width.unwrap_or(usize::MAX));
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                let Some(width) = *width else { continue };
                let cell = cut(cell, width);
                let padding = " ".repeat(width - cell.width());
                let (before, after) = if column.is_number { (&*padding, "") } else { ("", &*padding) };
                line.extend([before, &cell, after, &" ".repeat(GAP)]);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The width of each column, `None` if the column is dropped.
    fn fit(&self, limit: usize) -> Vec<Option<usize>> {
        let whole = |place: usize| self.rows.iter().map(|row| row[place].width()).max();
        let mut widths: Vec<_> = (0..self.columns.len()).map(whole).collect();
        loop {
            let excess = total(&widths).saturating_sub(limit);
            if excess == 0 || self.shrink(&mut widths, excess) {
                return widths;
            }
            let left = (0..widths.len()).filter(|place| widths[*place].is_some());
            match left.max_by_key(|place| self.columns[*place].expendable) {
                Some(place) if self.columns[place].expendable > 0 => widths[place] = None,
                _ => return widths,
            }
        }
    }

    /// Narrows the columns that can be cut, the widest first. Returns whether the table then fits.
    fn shrink(&self, widths: &mut [Option<usize>], mut excess: usize) -> bool {
        let mut narrowed = widths.to_vec();
        while excess > 0 {
            let shrinking = narrowed.iter_mut().zip(&self.columns).filter(|(_, column)| column.shrinks);
            match shrinking.filter_map(|(width, _)| width.as_mut()).max_by_key(|width| **width) {
                Some(width) if *width > LEAST => *width -= 1,
                _ => break,
            }
            excess -= 1;
        }
        let none_expendable =
            widths.iter().zip(&self.columns).all(|(width, column)| width.is_none() || column.expendable == 0);
        if excess == 0 || none_expendable {
            widths.copy_from_slice(&narrowed);
        }
        excess == 0
    }
}

fn total(widths: &[Option<usize>]) -> usize {
    let shown = widths.iter().flatten();
    (shown.clone().sum::<usize>() + GAP * shown.count()).saturating_sub(GAP)
}

/// Cuts a text that is too wide, with an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut head, mut used) = (String::new(), 0);
    for character in text.chars() {
        used += character.width().unwrap_or_default();
        if used >= width {
            break;
        }
        head.push(character);
    }
    format!("{}…", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = [
            Column::text("ID"),
            Column::number("COUNT").expendable(1),
            Column::text("STATE").expendable(2),
            Column::long("ERROR"),
        ];
        let mut table = Table::new(columns);
        table.row(["a1".into(), "7".into(), "new".into(), "漢字 the card issuer timed out".into()]);
        table
    }

    #[test]
    fn a_table_fits() {
        assert_eq!(
            table().within(None),
            "ID  COUNT  STATE  ERROR\na1      7  new    漢字 the card issuer timed out\n"
        );
        assert_eq!(
            table().within(Some(36)),
            "ID  COUNT  STATE  ERROR\na1      7  new    漢字 the card iss…\n"
        );
        assert_eq!(table().within(Some(26)), "ID  COUNT  ERROR\na1      7  漢字 the card…\n");
        assert_eq!(table().within(Some(16)), "ID  ERROR\na1  漢字 the ca…\n");
        assert_eq!(table().within(Some(9)), "ID  ERROR\na1  漢字 the ca…\n", "columns keep a minimum width");
    }

    #[test]
    fn the_widest_column_is_cut_first() {
        let mut table = Table::new([Column::long("A"), Column::long("B")]);
        table.row(["a".repeat(20), "b".repeat(30)]);
        let text = |a: usize, b: usize| format!("{}…  {}…", "a".repeat(a), "b".repeat(b));
        assert!(table.within(Some(38)).ends_with(&format!("{}\n", text(17, 17))));
    }
}
