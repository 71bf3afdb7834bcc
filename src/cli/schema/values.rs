//! A JSON Schema of a parameter in words: how its values are written and what each of them means.

use serde_json::{Map, Value};

/// Types that the page explains once, by their names in the schema.
const WORDS: [(&str, &str); 3] =
    [("Real", "number"), ("Category", "category"), ("PerLane", "number or list of numbers")];

/// One way to write a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// `"keep"`, `{"value": number}`, or words.
    pub text: String,
    /// Whether the text is JSON, not words.
    pub is_json: bool,
    pub meaning: String,
    /// The fields of an object that say more than its text.
    pub fields: Vec<Field>,
}

/// A field of an operation or of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub required: bool,
    pub meaning: String,
    pub ways: Vec<Way>,
}

/// Reads schemas that refer to definitions.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub definitions: &'a Map<String, Value>,
}

impl Reader<'_> {
    /// The fields of an object's schema in the order of its definition; `passed_over` is left out.
    pub fn fields(&self, object: &Value, passed_over: &str) -> Vec<Field> {
        let required: Vec<&str> = array(&object["required"]).iter().filter_map(Value::as_str).collect();
        let Some(properties) = object["properties"].as_object() else { return Vec::new() };
        let optional = properties.keys().map(String::as_str).filter(|name| !required.contains(name));
        let names = required.iter().copied().chain(optional).filter(|name| *name != passed_over);
        names
            .map(|name| {
                let schema = &properties[name];
                let own = description(schema);
                let meaning = if own.is_empty() { self.definition_meaning(schema) } else { own };
                let mut ways = self.ways(schema);
                // What is written right here has the field's own description.
                ways.iter_mut().filter(|way| way.meaning == meaning).for_each(|way| way.meaning.clear());
                Field { name: name.to_owned(), required: required.contains(&name), meaning, ways }
            })
            .collect()
    }

    fn definition_meaning(&self, schema: &Value) -> String {
        self.definition(schema).map(|(_, schema)| description(schema)).unwrap_or_default()
    }

    fn definition(&self, schema: &Value) -> Option<(&str, &Value)> {
        let name = schema["$ref"].as_str()?.rsplit('/').next()?;
        self.definitions.get_key_value(name).map(|(name, schema)| (name.as_str(), schema))
    }

    /// All ways to write a value.
    pub fn ways(&self, schema: &Value) -> Vec<Way> {
        if let Some((name, definition)) = self.definition(schema) {
            return match WORDS.iter().find(|(known, _)| *known == name) {
                Some((_, word)) => vec![words(*word)],
                None => self.ways(definition),
            };
        }
        if let Some(items) = long_list(schema) {
            return vec![words(format!("list of {}", plural(&self.inline(items))))];
        }
        let several = array(&schema["anyOf"]).iter().chain(array(&schema["oneOf"]));
        let several: Vec<Way> = several.flat_map(|one| self.ways(one)).collect();
        if several.is_empty() { self.single(schema) } else { several }
    }

    fn single(&self, schema: &Value) -> Vec<Way> {
        let meaning = description(schema);
        let json = |value: &Value| Way { text: value.to_string(), is_json: true, ..words(String::new()) };
        let way = match schema["type"].as_str() {
            _ if !schema["const"].is_null() => json(&schema["const"]),
            _ if schema["enum"].is_array() => return array(&schema["enum"]).iter().map(json).collect(),
            Some("object") => self.object(schema),
            Some("array") => words(self.array(schema)),
            Some("boolean") => return vec![json(&Value::Bool(true)), json(&Value::Bool(false))],
            Some("integer") if schema["minimum"] == 0 => words("integer (0 or more)"),
            Some("null") | None => return Vec::new(),
            Some(kind) => words(kind),
        };
        vec![Way { meaning, ..way }]
    }

    fn array(&self, schema: &Value) -> String {
        let items = plural(&self.inline(&schema["items"]));
        match (schema["minItems"].as_u64(), schema["maxItems"].as_u64()) {
            (Some(least), Some(most)) if least == most => format!("array of {least} {items}"),
            _ => format!("array of {items}"),
        }
    }

    /// An object as text; fields that say more than their types come along.
    fn object(&self, schema: &Value) -> Way {
        let fields = self.fields(schema, "");
        let written = fields.iter().map(|field| {
            let is_plain = field.ways.iter().all(|way| way.fields.is_empty());
            let value =
                if is_plain { joined(field.ways.iter().map(|way| way.text.clone())) } else { "{...}".into() };
            format!("\"{}\": {value}", field.name)
        });
        let text = format!("{{{}}}", written.collect::<Vec<_>>().join(", "));
        let says_more = |field: &Field| {
            !field.meaning.is_empty()
                || field.ways.iter().any(|way| !way.meaning.is_empty() || !way.fields.is_empty())
        };
        let fields = if fields.iter().any(says_more) { fields } else { Vec::new() };
        Way { is_json: true, fields, ..words(text) }
    }

    fn inline(&self, schema: &Value) -> String {
        joined(self.ways(schema).into_iter().map(|way| way.text))
    }
}

fn words(text: impl Into<String>) -> Way {
    Way { text: text.into(), is_json: false, meaning: String::new(), fields: Vec::new() }
}

/// The items of a list that may also lie in a file.
fn long_list(schema: &Value) -> Option<&Value> {
    let [list, file] = array(&schema["anyOf"]) else { return None };
    let is_file = file["properties"]["file"].is_object() && file["properties"]["column"].is_object();
    is_file.then(|| &list["items"])
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A description on one line.
fn description(schema: &Value) -> String {
    paragraphs(schema).collect::<Vec<_>>().join(" ")
}

/// A description's paragraphs, each on one line.
pub fn paragraphs(schema: &Value) -> impl Iterator<Item = String> {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `a, b or c`.
pub fn joined(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.collect();
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => texts.concat(),
    }
}

/// The words for several of something: the first noun takes the plural.
fn plural(words: &str) -> String {
    let (noun, rest) = words.split_at(words.find(' ').unwrap_or(words.len()));
    match noun.strip_suffix('y') {
        Some(stem) if noun != "array" => format!("{stem}ies{rest}"),
        _ => format!("{noun}s{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ways(schema: Value) -> Vec<String> {
        let definitions = json!({
            "Real": {"anyOf": [{"type": "number"}, {"enum": ["nan"]}]},
            "Code": {"description": "Codes.", "oneOf": [{"enum": ["null"]}, {
                "type": "object", "required": ["value"], "properties": {"value": {"type": "integer"}}}]},
        });
        let reader = Reader { definitions: definitions.as_object().expect("an object") };
        reader.ways(&schema).into_iter().map(|way| way.text).collect()
    }

    #[test]
    fn types_are_told_in_words() {
        let reference = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
        assert_eq!(ways(reference("Real")), ["number"]);
        assert_eq!(ways(reference("Code")), ["\"null\"", r#"{"value": integer}"#]);
        assert_eq!(ways(json!({"anyOf": [reference("Code"), {"type": "null"}]})).len(), 2);
        let list = json!({"anyOf": [
            {"type": "array", "items": {"type": "array", "items": reference("Real")}},
            {"type": "object", "properties": {"file": {"type": "string"}, "column": {"type": "string"}}},
        ]});
        assert_eq!(ways(list), ["list of arrays of numbers"]);
        let pair = json!({"type": "array", "items": reference("Real"), "minItems": 2, "maxItems": 2});
        assert_eq!(ways(pair), ["array of 2 numbers"]);
    }
}
