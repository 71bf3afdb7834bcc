//! A column's type as people write it: `int64`, `list<string>`, `float32[64]`, `float32[64, int8]`.

use std::{fmt, str::FromStr};

use super::{
    Stored,
    form::Form,
    schema::{ColumnSchema, Shape, WIDTH_LIMIT},
};
use crate::batch::Type;

/// What a column stores, in which shape and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnType {
    pub stored: Stored,
    pub shape: Shape,
    /// How vectors are kept; `None` for scalars and lists.
    pub form: Option<Form>,
}

impl ColumnType {
    /// The type in the form that its dtype has.
    pub fn new(stored: Stored, shape: Shape) -> Self {
        let form = matches!(shape, Shape::Vector(_) | Shape::Vectors(_)).then(|| Form::of(stored));
        Self { stored, shape, form }
    }

    /// The type that is read out.
    pub fn of(self) -> Type {
        let scalar = Type::scalar(self.stored.element());
        match self.shape {
            Shape::Scalar => scalar,
            Shape::List => scalar.listed(),
            Shape::Vector(width) => Type::vector(width),
            Shape::Vectors(width) => Type::vector(width).listed(),
        }
    }

    /// A column of this type. NaN is null but inside vectors, of which a single element may be missing.
    pub fn column(self, name: &str) -> ColumnSchema {
        let column = match self.shape {
            Shape::Scalar => ColumnSchema::scalar(name, self.stored),
            Shape::List => ColumnSchema::list(name, self.stored),
            Shape::Vector(width) => ColumnSchema::vector(name, self.stored, width),
            Shape::Vectors(width) => ColumnSchema::vectors(name, self.stored, width),
        };
        let nan_is_null =
            self.stored.is_float() && !matches!(self.shape, Shape::Vector(_) | Shape::Vectors(_));
        ColumnSchema { form: self.form, nan_is_null, ..column }
    }

    /// The type of a column.
    pub fn of_column(column: &ColumnSchema) -> Self {
        let shape = match column.of.width {
            Some(width) if column.of.list => Shape::Vectors(width),
            Some(width) => Shape::Vector(width),
            None if column.of.list => Shape::List,
            None => Shape::Scalar,
        };
        Self { stored: column.stored, shape, form: column.form }
    }

    /// The same type kept in the form of this name.
    fn in_form(self, name: Option<&str>) -> Result<Self, String> {
        match (name, name.and_then(Form::named)) {
            (None, _) => Ok(self),
            (Some(_), Some(_)) if self.stored != Stored::Float32 => {
                Err("other forms are those of float32 vectors".to_owned())
            }
            (Some(_), Some(form)) => Ok(Self { form: Some(form), ..self }),
            (Some(name), None) => Err(format!(
                "{name:?} is not a form; those of vectors are float32, float16, bfloat16, int8 and binary"
            )),
        }
    }

    /// Whether a key column can have it.
    pub fn is_key(self) -> bool {
        self.shape == Shape::Scalar && matches!(self.stored, Stored::Int64 | Stored::Uint64 | Stored::String)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.stored;
        match self.shape {
            Shape::Scalar => name.fmt(f),
            Shape::List => write!(f, "list<{name}>"),
            Shape::Vectors(width) => write!(f, "list<{}>", Self { shape: Shape::Vector(width), ..*self }),
            Shape::Vector(width) => match self.form {
                Some(form) if form != Form::of(name) => write!(f, "{name}[{width}, {}]", form.name()),
                _ => write!(f, "{name}[{width}]"),
            },
        }
    }
}

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if Stored::is_time(text) {
            return Ok(Self::new(text.parse()?, Shape::Scalar));
        }
        let list = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'));
        if let Some(element) = list
            && let Ok(vector @ Self { shape: Shape::Vector(width), .. }) = element.parse::<Self>()
        {
            return Ok(Self { shape: Shape::Vectors(width), ..vector });
        }
        let vector = text.strip_suffix(']').and_then(|rest| rest.split_once('['));
        let mut form = None;
        let (name, shape) = match (list, vector) {
            (Some(name), _) => (name, Some(Shape::List)),
            (None, Some((name, rest))) => {
                let (width, stated) =
                    rest.split_once(',').map_or((rest, None), |(width, form)| (width, Some(form)));
                form = stated.map(|form| form.trim().to_owned());
                (name, width.parse().ok().map(Shape::Vector))
            }
            (None, None) => (text, Some(Shape::Scalar)),
        };
        let (Ok(stored), Some(shape)) = (name.parse::<Stored>(), shape) else {
            let names = Stored::names().join(", ");
            return Err(format!(
                "{text:?} is not a type; those of elements are {names}; lists are written as in list<int64>, vectors \
                 as in float32[64], and as float32[64, int8] where they are kept in another form"
            ));
        };
        let of = Self::new(stored, shape);
        match shape {
            Shape::Vector(_) if !stored.is_float() => Err(format!("{text:?}: vectors are of floats")),
            Shape::Vector(width) if !(1..=WIDTH_LIMIT).contains(&width) => {
                Err(format!("{text:?}: vectors have 1 to {WIDTH_LIMIT} elements"))
            }
            _ => of.in_form(form.as_deref()).map_err(|why| format!("{text:?}: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_they_are_written() {
        let texts = [
            "int64",
            "string",
            "list<uint8>",
            "float16[1]",
            "float64[65536]",
            "timestamp[us]",
            "list<date>",
            "float32[64, int8]",
            "float32[3, binary]",
            "float32[8, bfloat16]",
            "list<float32[32, int8]>",
            "list<float64[4]>",
        ];
        for text in texts {
            let of: ColumnType = text.parse().expect(text);
            assert_eq!(of.to_string(), text);
        }
        let checks = [
            ("int", "\"int\" is not a type; those of elements are float16, "),
            ("list<float>", "is not a type"),
            ("int32[4]", "vectors are of floats"),
            ("float32[0]", "1 to 65536"),
            ("float32[x]", "is not a type"),
            ("float32[4, int4]", "\"int4\" is not a form; those of vectors are float32, "),
            ("float16[4, int8]", "other forms are those of float32"),
        ];
        for (text, expect) in checks {
            let found = text.parse::<ColumnType>().expect_err(text);
            assert!(found.contains(expect), "{found}");
        }
    }
}
