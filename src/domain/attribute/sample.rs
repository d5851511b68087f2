//! The attributes of many dead letters, by attribute. What it takes in memory is bounded, however many values there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::{Attribute, Layer, Letter};

/// Attributes that are told apart. Of further ones nothing is kept.
const MAX_ATTRIBUTES: usize = 2_000;
/// Values of one attribute that are told apart. What has more is an id, or like one: only its presence and its range count.
const MAX_VALUES: usize = 500;
/// Bytes of all values together.
const MAX_TEXT: usize = 16 << 20;
/// Values that are kept of all dead letters together.
const MAX_ENTRIES: usize = 2_000_000;

/// A value that is not told from others.
pub const OTHER: u32 = u32::MAX;

/// Which of two sets a dead letter is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one whose cause is looked for.
    Inside,
    /// What it is compared with.
    Outside,
}

/// What is known of each of the dead letters.
#[derive(Debug, Default)]
pub struct Sample {
    rows: Vec<Row>,
    columns: Vec<Column>,
    places: HashMap<Attribute, usize>,
    text: usize,
    entries: usize,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    side: Side,
    down_to: Layer,
}

/// An attribute, and the values that the dead letters have.
#[derive(Debug)]
pub struct Column {
    pub attribute: Attribute,
    pub values: Vec<String>,
    known: HashMap<String, u32>,
    /// In the order of the rows. A row may have several, or none.
    pub entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub row: u32,
    pub value: u32,
    pub number: Option<f64>,
}

/// How often a value occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Number of dead letters that have it.
    pub count: usize,
}

/// The values of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The attribute.
    pub attribute: Attribute,
    /// The values that occur most often, most first.
    pub values: Vec<ValueCount>,
    /// Number of dead letters with other values.
    pub others: usize,
    /// Number of dead letters without it.
    pub missing: usize,
}

impl Sample {
    /// Adds a dead letter.
    pub fn add(&mut self, side: Side, letter: &Letter) {
        let read = letter.attributes();
        let row = u32::try_from(self.rows.len()).unwrap_or(OTHER);
        self.rows.push(Row { side, down_to: read.down_to });
        for (attribute, value) in read.found {
            let Some(place) = self.place(attribute) else { continue };
            let text = value.text.map_or(OTHER, |text| self.value(place, text));
            let column = &mut self.columns[place];
            let before = column.entries.iter().rev().take_while(|entry| entry.row == row);
            if before.clone().any(|entry| entry.value == text && entry.number == value.number)
                || self.entries == MAX_ENTRIES
            {
                continue;
            }
            column.entries.push(Entry { row, value: text, number: value.number });
            self.entries += 1;
        }
    }

    fn place(&mut self, attribute: Attribute) -> Option<usize> {
        if let Some(place) = self.places.get(&attribute) {
            return Some(*place);
        }
        let place = self.columns.len();
        if place == MAX_ATTRIBUTES {
            return None;
        }
        let (values, known, entries) = (Vec::new(), HashMap::new(), Vec::new());
        self.columns.push(Column { attribute: attribute.clone(), values, known, entries });
        self.places.insert(attribute, place);
        Some(place)
    }

    fn value(&mut self, place: usize, text: String) -> u32 {
        let column = &mut self.columns[place];
        if let Some(value) = column.known.get(&text) {
            return *value;
        }
        if column.values.len() == MAX_VALUES || self.text + text.len() > MAX_TEXT {
            return OTHER;
        }
        self.text += text.len();
        let value = u32::try_from(column.values.len()).unwrap_or(OTHER);
        column.values.push(text.clone());
        column.known.insert(text, value);
        value
    }

    /// Number of dead letters.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of dead letters on this side.
    pub fn of(&self, side: Side) -> usize {
        self.rows.iter().filter(|row| row.side == side).count()
    }

    /// Number of dead letters of which this part was read.
    pub fn read(&self, layer: Layer) -> usize {
        self.rows.iter().filter(|row| layer <= row.down_to).count()
    }

    /// Whether this part of the row was read.
    pub(crate) fn is_read(&self, row: usize, layer: Layer) -> bool {
        self.rows.get(row).is_some_and(|row| layer <= row.down_to)
    }

    pub(crate) fn side(&self, row: usize) -> Option<Side> {
        self.rows.get(row).map(|row| row.side)
    }

    /// The attributes.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values of each attribute that occur most often.
    pub fn facets(&self, most: usize) -> Vec<Facet> {
        let mut facets: Vec<_> = self.columns.iter().map(|column| self.facet(column, most)).collect();
        facets.sort_by(|one, other| one.attribute.cmp(&other.attribute));
        facets
    }

    fn facet(&self, column: &Column, most: usize) -> Facet {
        let mut rows: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for entry in &column.entries {
            rows.entry(entry.value).or_default().push(entry.row);
        }
        let mut counts: Vec<_> = rows.iter_mut().collect();
        for (_, rows) in &mut counts {
            rows.dedup();
        }
        // Of as many in the order of their names, so that nothing moves from one answer to the next.
        let text = |value: u32| column.values.get(value as usize).map(String::as_str);
        counts.sort_by_key(|(value, rows)| (**value == OTHER, Reverse(rows.len()), text(**value)));
        let told = counts.iter().take_while(|(value, _)| **value != OTHER).take(most);
        let shown: Vec<_> = told.map(|(value, rows)| (**value as usize, rows.len())).collect();
        let mut others: Vec<u32> =
            counts.iter().skip(shown.len()).flat_map(|(_, rows)| rows.iter().copied()).collect();
        others.sort_unstable();
        others.dedup();
        let mut present: Vec<u32> = column.entries.iter().map(|entry| entry.row).collect();
        present.dedup();
        let value =
            |(value, count): (usize, usize)| ValueCount { value: column.values[value].clone(), count };
        Facet {
            attribute: column.attribute.clone(),
            values: shown.into_iter().map(value).collect(),
            others: others.len(),
            missing: self.read(column.attribute.kind.layer()) - present.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attribute::{AttributeKind, Columns};

    fn letter(kind: &str, body: &str) -> Letter {
        let columns = Columns { message_type: Some(kind.to_owned()), ..Columns::default() };
        let properties = crate::domain::wire::encode(&crate::domain::message::Properties::default()).unwrap();
        Letter { columns, properties: Some(properties), body: Some(body.as_bytes().to_vec()) }
    }

    fn facet(sample: &Sample, most: usize, kind: AttributeKind, name: &str) -> Facet {
        let wanted = Attribute { kind, name: name.to_owned() };
        sample.facets(most).into_iter().find(|facet| facet.attribute == wanted).unwrap()
    }

    #[test]
    fn the_values_are_counted_most_first() {
        let mut sample = Sample::default();
        for (kind, body) in [
            ("a", r#"{"x": [1, 1, 2]}"#),
            ("b", r#"{"x": [2, 3]}"#),
            ("b", "{}"),
            ("b", "no JSON"),
            ("c", &format!("{{{}\"x\": 1}}", "\"y\": 1,".repeat(2_000))),
        ] {
            sample.add(Side::Inside, &letter(kind, body));
        }
        let values = |facet: &Facet| -> Vec<(String, usize)> {
            facet.values.iter().map(|one| (one.value.clone(), one.count)).collect()
        };
        let kinds = facet(&sample, 2, AttributeKind::Type, "");
        assert_eq!(values(&kinds), [("b".to_owned(), 3), ("a".to_owned(), 1)]);
        assert_eq!((kinds.others, kinds.missing), (1, 0));
        let elements = facet(&sample, 1, AttributeKind::Body, "x.*");
        assert_eq!(values(&elements), [("2".to_owned(), 2)], "each dead letter counts once");
        assert_eq!((elements.others, elements.missing), (2, 2), "one body was not read");
        assert_eq!((sample.read(Layer::Row), sample.read(Layer::Body)), (5, 4));
    }

    #[test]
    fn memory_is_bounded_whatever_the_values_are() {
        let mut sample = Sample::default();
        for number in 0..3_000 {
            let unique = format!(r#"{{"id": "{number}", "name{number}": 1, "same": 1}}"#);
            sample.add(Side::Inside, &letter("a", &unique));
        }
        assert_eq!(sample.columns().len(), MAX_ATTRIBUTES);
        let ids = facet(&sample, 3, AttributeKind::Body, "id");
        assert_eq!((ids.values.len(), ids.others), (3, 2_997));
        assert_eq!(facet(&sample, 3, AttributeKind::Body, "same").values[0].count, 3_000);
    }
}
