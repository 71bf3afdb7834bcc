//! `quiver get`: one request from flags or a file, the answer with names.

use std::{collections::BTreeMap, fs, path::PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Failure,
    answer::Answer,
    client::{Server, block_on, refused},
    literal, print, request,
};
use crate::proto::{
    self, DataType, GetFeatureSetRequest, GetFeatureSetResponse, GetFeaturesRequest, Options, OutputSelection,
};

#[derive(Debug, Args)]
#[command(after_help = "A row-scope input takes one value for each row: ad_id=[ad-000001,ad-000002]. \
    null is null; a value with a comma or a bracket is quoted as in JSON, and so is a name with an equals sign: \
    '\"a=b\"=17'. \
    A time is ISO 8601 (2024-01-31T08:30:00Z) or a count with its unit (1706689800s, 250ms, 19753d).\n\n\
    Example: quiver get --feature-set ads_ctr user_id=17 placement=feed ad_id=[ad-000001,ad-000002]")]
pub struct Arguments {
    #[command(flatten)]
    server: Server,
    /// The feature set
    #[arg(long, short, required_unless_present = "request")]
    feature_set: Option<String>,
    /// The version; 0 is the served default
    #[arg(long)]
    version: Option<u32>,
    /// The number of rows, where no row-scope input is given
    #[arg(long)]
    rows: Option<u32>,
    /// An output, or several; with a type where another one is wanted: dense:float16
    #[arg(long = "output", value_name = "NAME[:TYPE]")]
    outputs: Vec<String>,
    /// Whether request-scope features are repeated on every row
    #[arg(long, value_enum, default_value_t = Layout::Dense)]
    layout: Layout,
    /// Whether all values are sent, or those that are not 0: for wide outputs
    #[arg(long, value_enum, default_value_t = Encoding::Values)]
    encoding: Encoding,
    /// A request as JSON: {"feature_set": "...", "columns": {"user_id": 17, "ad_id": ["a", "b"]}}
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Shows every column of wide features
    #[arg(long)]
    full: bool,
    /// Prints the answer as JSON
    #[arg(long)]
    json: bool,
    /// The inputs
    #[arg(value_name = "INPUT=VALUE")]
    inputs: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Layout {
    Dense,
    Factored,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Encoding {
    Values,
    Sparse,
}

/// The request as people write it; flags add to it and replace what it says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    feature_set: String,
    #[serde(default)]
    version: u32,
    rows: Option<u32>,
    #[serde(default)]
    outputs: Vec<String>,
    #[serde(default)]
    columns: BTreeMap<String, Value>,
}

/// Asks for the feature set's types, then for the features.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let written = written(arguments)?;
    block_on(async {
        let mut client = arguments.server.connect().await?;
        let named =
            GetFeatureSetRequest { feature_set: written.feature_set.clone(), version: written.version };
        let described = client.get_feature_set(named).await.map_err(refused)?.into_inner();
        let request = to_wire(&written, &described, arguments.layout, arguments.encoding)?;
        let response = client.get_features(request).await.map_err(refused)?.into_inner();
        let answer = Answer::new(&described, &response, labels(&written, &described))?;
        print(&if arguments.json { answer.json() } else { answer.table(arguments.full) })
    })
}

fn written(arguments: &Arguments) -> Result<Written, Failure> {
    let mut written = match &arguments.request {
        Some(file) => {
            let text =
                fs::read_to_string(file).map_err(|error| Failure::of(&file.display().to_string(), error))?;
            serde_json::from_str(&text)
                .map_err(|error| Failure::Usage(format!("{}: not a request: {error}", file.display())))?
        }
        None => Written::default(),
    };
    written.feature_set = arguments.feature_set.clone().unwrap_or(written.feature_set);
    written.version = arguments.version.unwrap_or(written.version);
    written.rows = arguments.rows.or(written.rows);
    if !arguments.outputs.is_empty() {
        written.outputs = arguments.outputs.clone();
    }
    for input in &arguments.inputs {
        let (name, text) = literal::named(input, '=').map_err(Failure::Usage)?;
        let text = text.ok_or_else(|| Failure::Usage(format!("{input:?}: must be INPUT=VALUE")))?;
        let value = literal::parse(text).map_err(|message| Failure::Usage(format!("{name}: {message}")))?;
        written.columns.insert(name, value);
    }
    Ok(written)
}

fn to_wire(
    written: &Written,
    described: &GetFeatureSetResponse,
    layout: Layout,
    encoding: Encoding,
) -> Result<GetFeaturesRequest, Failure> {
    let options = Options {
        layout: match layout {
            Layout::Dense => proto::Layout::Dense.into(),
            Layout::Factored => proto::Layout::Factored.into(),
        },
        encoding: match encoding {
            Encoding::Values => proto::Encoding::Values.into(),
            Encoding::Sparse => proto::Encoding::Sparse.into(),
        },
        status: proto::StatusDetail::Rows.into(),
    };
    Ok(GetFeaturesRequest {
        feature_set: written.feature_set.clone(),
        // The very version whose types were returned, even if a newer one has come since.
        version: described.version,
        rows: written.rows,
        columns: request::columns(&described.inputs, &written.columns).map_err(Failure::usage)?,
        outputs: written.outputs.iter().map(|output| selection(output)).collect::<Result<_, _>>()?,
        options: Some(options),
    })
}

fn selection(text: &str) -> Result<OutputSelection, Failure> {
    let (name, dtype) = literal::named(text, ':').map_err(Failure::Usage)?;
    let dtype = match dtype.unwrap_or_default() {
        "" => DataType::Unspecified,
        name => DataType::from_str_name(&format!("DATA_TYPE_{}", name.to_uppercase()))
            .ok_or_else(|| Failure::Usage(format!("--output {text}: there is no type {name:?}")))?,
    };
    Ok(OutputSelection { name, dtype: dtype.into(), ..OutputSelection::default() })
}

/// The values of the first row-scope input that was given, as the rows' names.
fn labels(written: &Written, described: &GetFeatureSetResponse) -> Vec<String> {
    let row_scope = described.inputs.iter().filter(|input| input.scope() == proto::Scope::Row && !input.list);
    let values = row_scope.filter_map(|input| written.columns.get(&input.name)?.as_array()).next();
    let label = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.map(|values| values.iter().map(label).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_may_name_a_type() {
        let good = [("dense", DataType::Unspecified), ("dense:float16", DataType::Float16)];
        for (text, dtype) in good {
            let made = selection(text).expect("good");
            assert_eq!((made.name.as_str(), made.dtype()), ("dense", dtype));
        }
        assert!(selection("dense:float8").is_err());
        let quoted = selection("\"a:b\":float16").expect("good");
        assert_eq!((quoted.name.as_str(), quoted.dtype()), ("a:b", DataType::Float16));
    }
}
