//! The reference page of all operations, from the JSON Schema of a feature's steps.

use serde_json::Value;

use super::values::{Field, Reader, Way, joined, paragraphs};
use crate::transform::Transform;

const HEAD: &str = r#"# Operations

What a feature's `steps` can do. A step is a JSON object: `op` names the operation, the other fields are its parameters.
Every field is required unless it is marked as optional, and unknown fields are rejected. The first step takes the
feature's inputs, each other step the result before it. `quiver schema spec` prints the same as a JSON Schema.

Unless an operation says otherwise, null (no value) stays null with its status, NaN is a float like any other, floats
are computed in float64 by IEEE arithmetic, and an operation of one input is applied to each element of a list.
Operations that join single values (`arithmetic`, `compare`, `logic`, `choose`, `coalesce`, `expr`, `concat`, `dot`,
`cosine`, `distance`, `smoothed_rate`) join lists element by element, and a row's single value goes with each of its
elements. A list that is shorter than another ends in nulls; a null list makes the result null.

In the tables, *number* is a JSON number, or `"nan"`, `"inf"` or `"-inf"`; *category* is a string, a number or a
boolean, as the input's type is (integers beyond 2^53 are strings); *list* is a JSON array, or
`{"file": F, "column": C}`: a column of a Parquet file beside the spec. Where a number or a list of numbers is taken,
the list has one for each lane of a vector.

This page is written by `quiver schema operations`.
"#;

/// The page in Markdown.
pub fn page() -> String {
    let schema = schemars::schema_for!(Transform);
    let none = serde_json::Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let steps = schema.get("oneOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let reader = Reader { definitions };
    let mut page = HEAD.to_owned();
    page += "\n| | |\n|---|---|\n";
    for (title, names) in Transform::FAMILIES {
        let links: Vec<String> = names.iter().map(|name| format!("[`{name}`](#{name})")).collect();
        page += &format!("| {title} | {} |\n", links.join(", "));
    }
    for (title, names) in Transform::FAMILIES {
        page += &format!("\n## {title}\n");
        for &name in *names {
            let of_name = |step: &&Value| step["properties"]["op"]["const"] == name;
            if let Some(step) = steps.iter().find(of_name) {
                page += &section(name, step, reader);
            }
        }
    }
    page
}

fn section(name: &str, step: &Value, reader: Reader<'_>) -> String {
    let mut section = format!("\n### {name}\n");
    paragraphs(step).for_each(|paragraph| section += &format!("\n{}\n", prose(&paragraph)));
    let fields = reader.fields(step, "op");
    if fields.is_empty() {
        return section + "\nIt has no parameters.\n";
    }
    section += "\n| field | value | meaning |\n|---|---|---|\n";
    for field in &fields {
        let cells = [title(field), shapes(&field.ways), prose(&field.meaning)];
        section += &format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    for field in fields.iter().filter(|field| field.ways.iter().any(says_more)) {
        section += &format!("\n`{}`:\n\n", field.name);
        field.ways.iter().for_each(|way| add_way(&mut section, way, 0));
    }
    section
}

fn title(field: &Field) -> String {
    if field.required { format!("`{}`", field.name) } else { format!("`{}` (optional)", field.name) }
}

fn shape(way: &Way) -> String {
    if way.is_json { format!("`{}`", way.text) } else { way.text.clone() }
}

fn shapes(ways: &[Way]) -> String {
    joined(ways.iter().map(shape))
}

fn says_more(way: &Way) -> bool {
    !way.meaning.is_empty() || !way.fields.is_empty()
}

/// A way to write a value as an item of a list, with the fields of its object below.
fn add_way(page: &mut String, way: &Way, depth: usize) {
    let indent = "  ".repeat(depth);
    let meaning = if way.meaning.is_empty() { String::new() } else { format!(": {}", prose(&way.meaning)) };
    *page += &format!("{indent}- {}{meaning}\n", shape(way));
    for field in &way.fields {
        let meaning =
            if field.meaning.is_empty() { String::new() } else { format!(": {}", prose(&field.meaning)) };
        *page += &format!("{indent}  - {}, {}{meaning}\n", title(field), shapes(&field.ways));
        if field.ways.iter().any(says_more) {
            field.ways.iter().for_each(|way| add_way(page, way, depth + 2));
        }
    }
}

/// A doc comment's text as Markdown: a `<` outside of code would begin HTML.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 0 { part.replace('<', "\\<") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_their_fields_are_listed() {
        let field = |name: &str| Field {
            name: name.to_owned(),
            required: false,
            meaning: "a < b".into(),
            ways: Vec::new(),
        };
        let way = Way {
            text: "{...}".into(),
            is_json: true,
            meaning: "It is.".into(),
            fields: vec![field("seed")],
        };
        let mut page = String::new();
        add_way(&mut page, &way, 0);
        assert_eq!(page, "- `{...}`: It is.\n  - `seed` (optional), : a \\< b\n");
    }
}
