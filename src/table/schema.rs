//! What a table holds: its keys and columns, as `table.json` states them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::form::Form;
use crate::{
    batch::{Element, Type},
    files::{Checksum, Stored},
    problem::{Problems, quoted},
};

use super::EventTime;

/// The files of a version's rows by their names, and what each must be.
pub type Listing = BTreeMap<String, Checksum>;

/// The format that this server reads.
pub const FORMAT: &str = "quiver.table/1";

/// The widest vector.
pub const WIDTH_LIMIT: usize = 65_536;

/// A table's name, version, keys and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    pub name: String,
    pub version: u32,
    /// The columns that make up a row's key, in order; never none.
    pub key: Vec<KeyColumn>,
    pub columns: Vec<ColumnSchema>,
    /// When its rows were true, where that is known.
    pub event_time: Option<EventTime>,
    /// Whether its rows can be written while they are served.
    pub live: bool,
}

/// One column of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    pub name: String,
    /// `Int64`, `Uint64` or `String`.
    pub element: Element,
}

/// One column of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSchema {
    pub name: String,
    /// The type that is read out: floats in 64 bits, integers in 64 bits.
    pub of: Type,
    /// The type of each element in files, and in memory but for vectors.
    pub stored: Stored,
    /// How vectors are kept; `None` for scalars and lists.
    pub form: Option<Form>,
    /// Whether NaN stands for null. A vector that has a NaN is null then.
    pub nan_is_null: bool,
}

impl ColumnSchema {
    /// Whether its values come as float32 columns: vectors of all forms but float64.
    pub fn gives_float32(&self) -> bool {
        self.form.is_some_and(|form| form != Form::Float64)
    }
}

impl KeyColumn {
    /// The type that keys are kept in.
    pub fn stored(&self) -> Stored {
        match self.element {
            Element::String => Stored::String,
            Element::Uint64 => Stored::Uint64,
            _ => Stored::Int64,
        }
    }
}

impl TableSchema {
    /// The position of the column of this name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Reads `table.json`, or returns everything that is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, Problems> {
        Self::with_listing(text).map(|(schema, _)| schema)
    }

    /// Reads `table.json` with the files that it lists, if it lists any.
    pub fn with_listing(text: &str) -> Result<(Self, Option<Listing>), Problems> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let document: Document = serde_path_to_error::deserialize(&mut reader).map_err(Problems::of_json)?;
        reader.end().map_err(|error| Problems::one("", error.to_string()))?;
        let listing = document.files.clone();
        Ok((document.check()?, listing))
    }

    /// Writes `table.json`, such that `from_json` reads the same schema.
    pub fn to_json(&self) -> String {
        self.to_json_with(None)
    }

    /// Writes `table.json` with a list of the files of rows.
    pub fn to_json_with(&self, files: Option<Listing>) -> String {
        let key = self.key.iter().map(|key| KeyDocument { name: key.name.clone(), dtype: key.stored() });
        let document = Document {
            format: FORMAT.to_owned(),
            name: self.name.clone(),
            version: self.version,
            key: key.collect(),
            columns: self.columns.iter().map(ColumnDocument::of).collect(),
            event_time: self.event_time.map(|event_time| event_time.written(&self.columns)),
            live: self.live,
            files,
        };
        serde_json::to_string_pretty(&document).expect("strings and numbers are always JSON")
    }
}

impl ColumnSchema {
    /// A column of scalars; NaN is a value.
    pub fn scalar(name: impl Into<String>, stored: Stored) -> Self {
        Self { name: name.into(), of: Type::scalar(stored.element()), stored, form: None, nan_is_null: false }
    }

    /// A column of lists of scalars; NaN is a value.
    pub fn list(name: impl Into<String>, stored: Stored) -> Self {
        let scalar = Self::scalar(name, stored);
        Self { of: scalar.of.listed(), ..scalar }
    }

    /// A column of lists of vectors of `width` floats; NaN is a value.
    pub fn vectors(name: impl Into<String>, stored: Stored, width: usize) -> Self {
        let vector = Self::vector(name, stored, width);
        Self { of: vector.of.listed(), ..vector }
    }

    /// A column of vectors of `width` floats; NaN is a value.
    pub fn vector(name: impl Into<String>, stored: Stored, width: usize) -> Self {
        Self { of: Type::vector(width), form: Some(Form::of(stored)), ..Self::scalar(name, stored) }
    }
}

/// The published JSON Schema of `table.json`.
pub fn json_schema() -> Schema {
    schema_for!(Document)
}

/// A version of a table: its keys and columns. The rows are in Parquet or Arrow IPC files beside it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Table")]
struct Document {
    /// Always "quiver.table/1".
    format: String,
    /// The table's name, the same as its folder's.
    name: String,
    /// The version, 1 or more, the same as its folder's.
    version: u32,
    /// The columns that make up a row's key, in order; at least one.
    key: Vec<KeyDocument>,
    /// The columns of values. Columns of the files that are not named here are passed over.
    columns: Vec<ColumnDocument>,
    /// When the rows were true, from which lookups with a "max_age" take their age: the name of a scalar timestamp or
    /// date column, or a time with its offset, such as "2026-11-25T10:00:00Z", for all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<String>,
    /// Whether TableService may write rows while they are served. Features of such a table are not folded into those of
    /// other tables when they are loaded.
    #[serde(default, skip_serializing_if = "is_false")]
    live: bool,
    /// All files of rows by their names, if they are to be held to their sizes and SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<Listing>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A column of the key. No row's key is null, and no two rows have the same.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "KeyColumn")]
struct KeyDocument {
    /// The column's name in the files.
    name: String,
    /// "int64", "uint64" or "string".
    dtype: Stored,
}

/// A column of values.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Column")]
struct ColumnDocument {
    /// The column's name in the files, by which lookups refer to it.
    name: String,
    /// The type of each element.
    dtype: Stored,
    /// What a row holds.
    shape: Shape,
    /// How vectors of float32 are kept in memory; float32 if left out, and for no other column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Form>,
    /// What NaN means; written for float16, float32 and float64, and for no other type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nan: Option<Nan>,
}

/// What a row of a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// One element.
    Scalar,
    /// Any number of elements.
    List,
    /// That many floats, 1 to 65,536.
    Vector(usize),
    /// Any number of vectors of that many floats each.
    Vectors(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Nan {
    /// NaN is null; a vector with a NaN is null.
    Null,
    /// NaN is a value.
    Value,
}

impl Document {
    fn check(self) -> Result<TableSchema, Problems> {
        let mut problems = Problems::none();
        if self.format != FORMAT {
            problems.add("format", format!("is {:?}, this server reads {FORMAT:?}", self.format));
        }
        if let Err(why) = check_plain_name(&self.name) {
            problems.add("name", why);
        }
        if self.version == 0 {
            problems.add("version", "must be 1 or more");
        }
        if self.key.is_empty() {
            problems.add("key", "a table needs at least one key column");
        }
        self.check_names(&mut problems);
        for (name, file) in self.files.iter().flatten() {
            if let Some(why) = file.problem() {
                problems.add(format!("files[{name:?}].sha256"), why);
            }
        }
        let columns: Vec<ColumnSchema> = (self.columns.into_iter().enumerate())
            .map(|(position, column)| column.check(&format!("columns[{position}]"), &mut problems))
            .collect();
        let event_time = self.event_time.map(|written| EventTime::read(&written, &columns)).transpose();
        let event_time = event_time.unwrap_or_else(|why| {
            problems.add("event_time", why);
            None
        });
        let key = (self.key.into_iter().enumerate())
            .map(|(position, key)| key.check(&format!("key[{position}]"), &mut problems))
            .collect();
        problems.or(TableSchema {
            name: self.name,
            version: self.version,
            key,
            columns,
            event_time,
            live: self.live,
        })
    }

    fn check_names(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        let keys = self.key.iter().enumerate().map(|(position, key)| ("key", position, &key.name));
        let columns = self.columns.iter().enumerate();
        let columns = columns.map(|(position, column)| ("columns", position, &column.name));
        for (field, position, name) in keys.chain(columns) {
            let place = format!("{field}[{position}].name");
            if name.is_empty() {
                problems.add(place, "must not be empty");
            } else if !seen.insert(name) {
                problems.add(place, format!("{name:?} is named twice"));
            }
        }
    }
}

impl KeyDocument {
    fn check(self, place: &str, problems: &mut Problems) -> KeyColumn {
        if !matches!(self.dtype, Stored::Int64 | Stored::Uint64 | Stored::String) {
            problems.add(
                format!("{place}.dtype"),
                format!("{} can't be a key: int64, uint64 and string can", self.dtype),
            );
        }
        KeyColumn { name: self.name, element: self.dtype.element() }
    }
}

impl ColumnDocument {
    fn of(column: &ColumnSchema) -> Self {
        let float = column.of.element == Element::Float64;
        Self {
            name: column.name.clone(),
            dtype: column.stored,
            shape: match column.of.width {
                Some(width) if column.of.list => Shape::Vectors(width),
                Some(width) => Shape::Vector(width),
                None if column.of.list => Shape::List,
                None => Shape::Scalar,
            },
            form: column.form.filter(|&form| form != Form::of(column.stored)),
            nan: float.then_some(if column.nan_is_null { Nan::Null } else { Nan::Value }),
        }
    }

    fn check(self, place: &str, problems: &mut Problems) -> ColumnSchema {
        let float = self.dtype.element() == Element::Float64;
        if float != self.nan.is_some() {
            let message =
                if float { "required for floats: \"null\" or \"value\"" } else { "allowed for floats only" };
            problems.add(format!("{place}.nan"), message);
        }
        if let Shape::Vector(width) | Shape::Vectors(width) = self.shape {
            if !float {
                problems.add(format!("{place}.shape"), "vectors are of floats");
            }
            if !(1..=WIDTH_LIMIT).contains(&width) {
                let field = if matches!(self.shape, Shape::Vector(_)) { "vector" } else { "vectors" };
                problems
                    .add(format!("{place}.shape.{field}"), format!("must be 1 to {WIDTH_LIMIT}, is {width}"));
            }
        }
        let is_vector = matches!(self.shape, Shape::Vector(_) | Shape::Vectors(_));
        if self.form.is_some() && !(is_vector && self.dtype == Stored::Float32) {
            problems.add(format!("{place}.form"), "allowed for vectors of float32 only");
        }
        let column = match self.shape {
            Shape::Scalar => ColumnSchema::scalar(self.name, self.dtype),
            Shape::List => ColumnSchema::list(self.name, self.dtype),
            Shape::Vector(width) => ColumnSchema::vector(self.name, self.dtype, width),
            Shape::Vectors(width) => ColumnSchema::vectors(self.name, self.dtype, width),
        };
        let form = self.form.filter(|_| is_vector).or(column.form);
        ColumnSchema { form, nan_is_null: self.nan == Some(Nan::Null), ..column }
    }
}

/// Checks a name that is a folder's, or a prefix that ends at a dot: those of tables, feature sets and lookups.
pub fn check_plain_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        Err("must not be empty".to_owned())
    } else if name.contains(['.', '/', '\\']) || name.chars().any(char::is_control) {
        Err(format!("{} must not contain a dot, a slash, a backslash or a control character", quoted(name)))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADS: &str = r#"{"format": "quiver.table/1", "name": "ads", "version": 2,
        "key": [{"name": "ad_id", "dtype": "string"}, {"name": "slot", "dtype": "uint64"}],
        "columns": [
            {"name": "category", "dtype": "string", "shape": "scalar"},
            {"name": "tags", "dtype": "int32", "shape": "list"},
            {"name": "embedding", "dtype": "float32", "shape": {"vector": 64}, "form": "int8", "nan": "null"}]}"#;

    #[test]
    fn reads_what_it_writes() {
        let schema = TableSchema::from_json(ADS).expect("a good table.json");
        assert_eq!(schema.column("embedding"), Some(2));
        assert_eq!(schema.columns[2].of, Type::vector(64));
        assert_eq!(schema.columns[2].form, Some(Form::Int8));
        assert!(schema.columns[2].nan_is_null);
        assert_eq!(schema.columns[1].of.to_string(), "list<int64>");
        assert_eq!(TableSchema::from_json(&schema.to_json()).expect("its own text"), schema);
        assert!(!schema.live && !schema.to_json().contains("live"));
        let live = TableSchema { live: true, ..schema };
        assert_eq!(TableSchema::from_json(&live.to_json()).expect("its own text"), live);
    }

    #[test]
    fn every_problem_has_its_place() {
        let checks: [(&str, &str, &str); 16] = [
            ("quiver.table/1", "quiver.table/9", "format: is \"quiver.table/9\""),
            ("\"ads\"", "\"\"", "name: must not be empty"),
            ("\"ads\"", "\"a.b\"", "name: \"a.b\" must not contain a dot"),
            ("\"version\": 2", "\"version\": 0", "version: must be 1"),
            ("\"version\": 2", "\"version\": 2, \"more\": 1", "unknown field `more`"),
            (
                "\"version\": 2",
                "\"version\": 2, \"event_time\": \"tags\"",
                "event_time: column \"tags\" is list<int64>",
            ),
            ("\"uint64\"", "\"int32\"", "key[1].dtype: int32 can't be a key"),
            ("\"slot\"", "\"tags\"", "columns[1].name: \"tags\" is named twice"),
            ("{\"vector\": 64}", "{\"vector\": 0}", "columns[2].shape.vector: must be 1"),
            ("{\"vector\": 64}", "\"matrix\"", "columns[2].shape: unknown variant"),
            (", \"nan\": \"null\"", "", "columns[2].nan: required for floats"),
            ("\"list\"", "\"list\", \"nan\": \"null\"", "columns[1].nan: allowed for floats only"),
            ("\"int8\"", "\"int4\"", "columns[2].form: unknown variant"),
            ("\"float32\"", "\"float64\"", "columns[2].form: allowed for vectors of float32 only"),
            ("\"list\"", "\"list\", \"form\": \"binary\"", "columns[1].form: allowed for vectors"),
            ("\"list\"", "{\"vector\": 3}", "columns[1].shape: vectors are of floats"),
        ];
        for (good, bad, expect) in checks {
            assert!(ADS.contains(good), "{good}");
            let found = TableSchema::from_json(&ADS.replace(good, bad)).expect_err(bad).to_string();
            assert!(found.contains(expect), "{bad}: {found}");
        }
    }
}
