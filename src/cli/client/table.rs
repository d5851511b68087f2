//! Tables that fit the terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: usize = 2;
/// A column that gives way keeps this.
const LEAST: usize = 12;

/// A column, and how it gives way where the terminal is narrow.
pub(super) struct Column {
    title: &'static str,
    is_number: bool,
    shrinks: bool,
    /// Those with the higher number are left out first; those with 0 never.
    expendable: u8,
}

impl Column {
    const fn new(title: &'static str, is_number: bool, shrinks: bool) -> Self {
        Self { title, is_number, shrinks, expendable: 0 }
    }

    /// Whole, to the left.
    pub(super) const fn text(title: &'static str) -> Self {
        Self::new(title, false, false)
    }

    /// Whole, to the right.
    pub(super) const fn number(title: &'static str) -> Self {
        Self::new(title, true, false)
    }

    /// Cut where there is no room.
    pub(super) const fn long(title: &'static str) -> Self {
        Self::new(title, false, true)
    }

    /// Left out where there is still no room, the one with the highest number first.
    pub(super) const fn expendable(self, rank: u8) -> Self {
        Self { expendable: rank, ..self }
    }
}

/// Rows below titles.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(columns: impl Into<Vec<Column>>) -> Self {
        let columns = columns.into();
        let titles = columns.iter().map(|column| column.title.to_owned()).collect();
        Self { columns, rows: vec![titles] }
    }

    /// A cell for each column, without control characters.
    pub(super) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    /// As wide as the terminal; whole where the output goes elsewhere.
    pub(super) fn for_output(self) -> String {
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

    /// The width of each column; `None` for those that are left out.
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

    /// Takes what is too much from the columns that can be cut, from the widest first; tells whether that was enough.
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

/// The head of a text with an ellipsis, where it is too wide.
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
        assert_eq!(table().within(Some(9)), "ID  ERROR\na1  漢字 the ca…\n", "there is an end to it");
    }

    #[test]
    fn the_widest_gives_way_first() {
        let mut table = Table::new([Column::long("A"), Column::long("B")]);
        table.row(["a".repeat(20), "b".repeat(30)]);
        let text = |a: usize, b: usize| format!("{}…  {}…", "a".repeat(a), "b".repeat(b));
        assert!(table.within(Some(38)).ends_with(&format!("{}\n", text(17, 17))));
    }
}
