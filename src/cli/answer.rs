//! An answer with its names: features down, rows across.

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use super::Failure;
use crate::{
    batch,
    proto::{
        FeatureDescription, GetFeatureSetResponse, GetFeaturesResponse, Scope, Status, Tensor, TensorPart,
    },
};

mod ragged;
mod sparse;

use ragged::RaggedTensor;
use sparse::{Number, SparseTensor};

/// Lanes of a wide feature that are shown at once.
const SHOWN_LANES: usize = 3;

/// The tensors beside what they hold.
pub struct Answer<'a> {
    response: &'a GetFeaturesResponse,
    described: &'a GetFeatureSetResponse,
    tensors: Vec<Named<'a>>,
    /// Names of the rows; their numbers where there are none.
    labels: Vec<String>,
}

/// A tensor and its features.
struct Named<'a> {
    tensor: &'a Tensor,
    features: Vec<&'a FeatureDescription>,
    rows: usize,
    width: usize,
    /// Its values, where only those that are not 0 were sent.
    sparse: Option<SparseTensor>,
    /// Its values, where they are the elements of lists.
    ragged: Option<RaggedTensor>,
}

impl<'a> Answer<'a> {
    /// Names the tensors by the feature set's description; rejects an answer that does not fit to it.
    pub fn new(
        described: &'a GetFeatureSetResponse,
        response: &'a GetFeaturesResponse,
        labels: Vec<String>,
    ) -> Result<Self, Failure> {
        let misfit =
            || Failure::Failed("the answer does not fit to its feature set's description".to_owned());
        let named = response.outputs.iter().map(|tensor| named(described, tensor));
        let tensors = named.collect::<Option<Vec<_>>>().ok_or_else(misfit)?;
        let rows = response.rows as usize;
        let labels =
            if labels.len() == rows { labels } else { (0..rows).map(|row| format!("row {row}")).collect() };
        Ok(Self { response, described, tensors, labels })
    }

    /// Readable tables, one for each tensor; wide features shortened unless `full`.
    pub fn table(&self, full: bool) -> String {
        let head = format!(
            "{} version {} ({}), {} rows\n",
            self.described.feature_set, self.response.version, self.response.fingerprint, self.response.rows
        );
        let tables = self.tensors.iter().map(|named| self.tensor_table(named, full));
        std::iter::once(head).chain(tables).collect()
    }

    fn tensor_table(&self, named: &Named<'_>, full: bool) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        let labels = self.labels_of(named);
        let head = std::iter::once("feature".to_owned()).chain(labels);
        table.set_header(head);
        for (position, feature) in named.features.iter().enumerate() {
            // The lanes of a sparse feature that are not 0 are others in each row.
            let each = full && named.sparse.is_none() && named.ragged.is_none();
            for lanes in shown(feature, each) {
                let name = Cell::new(lane_name(feature, &lanes, each));
                let cells = (0..named.rows).map(|row| named.cell(position, row, &lanes, full));
                let cells = cells.map(|text| Cell::new(text).set_alignment(CellAlignment::Right));
                table.add_row(std::iter::once(name).chain(cells));
            }
        }
        let part = match named.tensor.part() {
            TensorPart::All => "",
            TensorPart::Request => ", request-scope features",
            TensorPart::Row => ", row-scope features",
        };
        let dtype = named.tensor.dtype().as_str_name().trim_start_matches("DATA_TYPE_").to_lowercase();
        let (shape, ragged) = (&named.tensor.shape, if named.ragged.is_some() { ", ragged" } else { "" });
        format!("\n{}: {dtype} {shape:?}{ragged}{part}\n{table}\n", named.tensor.name)
    }

    fn labels_of(&self, named: &Named<'_>) -> Vec<String> {
        if named.tensor.part() == TensorPart::Request {
            vec!["request".to_owned()]
        } else {
            self.labels.clone()
        }
    }

    /// The same as JSON: rows of features by name, and the statuses that are not PRESENT.
    pub fn json(&self) -> String {
        let tensors: Vec<Value> = self.tensors.iter().map(|named| self.tensor_json(named)).collect();
        let document = json!({
            "feature_set": self.described.feature_set, "version": self.response.version,
            "fingerprint": self.response.fingerprint, "rows": self.response.rows, "outputs": tensors,
        });
        format!("{document:#}\n")
    }

    fn tensor_json(&self, named: &Named<'_>) -> Value {
        let labels = self.labels_of(named);
        let rows: Vec<Value> =
            labels.iter().enumerate().map(|(row, label)| named.row_json(row, label)).collect();
        json!({"name": named.tensor.name, "shape": named.tensor.shape, "rows": rows})
    }
}

fn named<'a>(described: &'a GetFeatureSetResponse, tensor: &'a Tensor) -> Option<Named<'a>> {
    let output = described.outputs.iter().find(|output| output.name == tensor.name)?;
    let belongs = |feature: &&FeatureDescription| match tensor.part() {
        TensorPart::All => true,
        TensorPart::Request => feature.scope() == Scope::Request,
        TensorPart::Row => feature.scope() != Scope::Request,
    };
    let features: Vec<_> = output.features.iter().filter(belongs).collect();
    let &[rows, width] = tensor.shape.as_slice() else { return None };
    let (rows, width) = (rows as usize, width as usize);
    let ragged = if tensor.ragged { Some(RaggedTensor::read(tensor, rows, width)?) } else { None };
    let rows = ragged.as_ref().map_or(rows, RaggedTensor::rows);
    let of_features: usize = features.iter().map(|feature| feature.width as usize).sum();
    let sparse = match tensor.row_offsets.len() {
        0 => None,
        _ if tensor.ragged => None,
        _ => Some(SparseTensor::read(tensor, rows, width)?),
    };
    let values = tensor.values.len().max(tensor.int64_values.len());
    let statuses = tensor.status_values.len().max(tensor.status.len());
    let fits = of_features == width
        && (sparse.is_some() || ragged.is_some() || values == rows * width)
        && [0, rows * features.len()].contains(&statuses);
    fits.then_some(Named { tensor, features, rows, width, sparse, ragged })
}

/// The lanes of each line of a feature.
fn shown(feature: &FeatureDescription, full: bool) -> Vec<std::ops::Range<usize>> {
    let width = feature.width as usize;
    let at_once = if full { 1 } else { width.max(1) };
    (0..width).step_by(at_once).map(|lane| lane..lane + at_once).collect()
}

fn lane_name(feature: &FeatureDescription, lanes: &std::ops::Range<usize>, full: bool) -> String {
    match (feature.width, full) {
        (1, _) => feature.column_names.first().unwrap_or(&feature.name).clone(),
        (width, false) => format!("{} [{width}]", feature.name),
        (_, true) => match (feature.column_names.get(lanes.start), feature.columns.get(lanes.start)) {
            (Some(name), _) => name.clone(),
            (None, Some(column)) => format!("{}={column}", feature.name),
            (None, None) => format!("{}[{}]", feature.name, lanes.start),
        },
    }
}

impl Named<'_> {
    fn first_lane(&self, feature: usize) -> usize {
        self.features[..feature].iter().map(|feature| feature.width as usize).sum()
    }

    /// The text of one value of the tensor.
    fn value(&self, row: usize, lane: usize) -> String {
        self.number(row * self.width + lane).text()
    }

    fn number(&self, position: usize) -> Number {
        match self.tensor.values.get(position) {
            Some(&value) => Number::Float(value),
            None => Number::Integer(self.tensor.int64_values[position]),
        }
    }

    fn status(&self, feature: usize, row: usize) -> Status {
        let position = row * self.features.len() + feature;
        let readable = self.tensor.status_values.get(position).copied();
        let status = readable.or_else(|| {
            self.tensor.status.get(position).map(|&status| batch::Status::of_wire(status) as i32)
        });
        status.and_then(|status| Status::try_from(status).ok()).unwrap_or(Status::Present)
    }

    /// Some lanes of a feature in one row, and the status where it is not PRESENT.
    fn cell(&self, feature: usize, row: usize, lanes: &std::ops::Range<usize>, full: bool) -> String {
        let first = self.first_lane(feature);
        let all = || {
            let values = lanes.clone().take(SHOWN_LANES).map(|lane| self.value(row, first + lane));
            let rest = if lanes.len() > SHOWN_LANES { " …" } else { "" };
            values.collect::<Vec<_>>().join(" ") + rest
        };
        let most = if full { usize::MAX } else { SHOWN_LANES };
        let text = match (&self.sparse, &self.ragged) {
            (Some(sparse), _) => sparse.text(row, self.features[feature], first, most),
            (_, Some(ragged)) => ragged.text(row, first..first + lanes.len(), most),
            (None, None) => self.hot_column(feature, row, lanes).unwrap_or_else(all),
        };
        match self.status(feature, row) {
            Status::Present => text,
            status => format!("{text} ({})", status_name(status).to_lowercase().replace('_', " ")),
        }
    }

    /// The column's name where a feature of named columns is a single 1 among zeros.
    fn hot_column(&self, feature: usize, row: usize, lanes: &std::ops::Range<usize>) -> Option<String> {
        let named = &self.features[feature];
        if lanes.len() < 2 || named.columns.len() != lanes.len() {
            return None;
        }
        let first = row * self.width + self.first_lane(feature);
        let values = self.tensor.values.get(first..first + lanes.len())?;
        let ones = values.iter().filter(|&&value| value == 1.0).count();
        let zeros = values.iter().filter(|&&value| value == 0.0).count();
        match (ones, ones + zeros == values.len()) {
            (0, true) => Some("-".to_owned()),
            (1, true) => Some(named.columns[values.iter().position(|&value| value == 1.0)?].clone()),
            _ => None,
        }
    }

    fn row_json(&self, row: usize, label: &str) -> Value {
        let mut features = Map::new();
        let mut statuses = Map::new();
        for (position, feature) in self.features.iter().enumerate() {
            features.insert(feature.name.clone(), self.feature_json(row, position));
            let status = self.status(position, row);
            if status != Status::Present {
                statuses.insert(feature.name.clone(), json!(status_name(status)));
            }
        }
        json!({"row": label, "features": features, "statuses": statuses})
    }

    fn feature_json(&self, row: usize, feature: usize) -> Value {
        let (first, of) = (self.first_lane(feature), self.features[feature]);
        if let Some(sparse) = &self.sparse {
            return sparse.json(row, of, first);
        }
        if let Some(ragged) = &self.ragged {
            return ragged.json(row, first..first + of.width as usize);
        }
        let first = row * self.width + first;
        let lanes = (first..first + of.width as usize).map(|at| self.number(at).json());
        let lanes: Vec<Value> = lanes.collect();
        if let [single] = lanes.as_slice() { single.clone() } else { Value::Array(lanes) }
    }
}

fn status_name(status: Status) -> &'static str {
    status.as_str_name().trim_start_matches("STATUS_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::OutputDescription;

    fn described() -> GetFeatureSetResponse {
        let feature = |name: &str, offset, width, columns: &[&str]| FeatureDescription {
            name: name.to_owned(),
            offset,
            width,
            scope: Scope::Row.into(),
            part_offset: offset,
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            column_names: Vec::new(),
        };
        let features = vec![
            feature("bid", 0, 1, &[]),
            feature("kind", 1, 2, &["food", "autos"]),
            feature("vector", 3, 4, &[]),
        ];
        let output =
            OutputDescription { name: "dense".to_owned(), dtype: 1, width: 7, features, ragged: false };
        GetFeatureSetResponse { feature_set: "ads".to_owned(), outputs: vec![output], ..Default::default() }
    }

    fn response(rows: u32, values: Vec<f64>, status_values: Vec<i32>) -> GetFeaturesResponse {
        let tensor = Tensor {
            name: "dense".to_owned(),
            dtype: 1,
            shape: vec![rows, 7],
            values,
            status_values,
            ..Tensor::default()
        };
        GetFeaturesResponse { version: 3, rows, outputs: vec![tensor], ..Default::default() }
    }

    #[test]
    fn shows_names_values_and_statuses() {
        let (described, response) =
            (described(), response(1, vec![0.25, 0.0, 1.0, 1.0, 2.0, 3.5, 4.0], vec![4, 0, 0]));
        let answer = Answer::new(&described, &response, vec!["ad-1".to_owned()]).expect("fits");
        let table = answer.table(false);
        for expected in ["ad-1", "0.2500 (null)", "kind [2]", "autos", "1 2 3.5000 …"] {
            assert!(table.contains(expected), "{expected} in\n{table}");
        }
        let full = answer.table(true);
        assert!(full.contains("kind=autos") && full.contains("vector[3]"), "{full}");
        let json: Value = serde_json::from_str(&answer.json()).expect("JSON");
        let row = &json["outputs"][0]["rows"][0];
        assert_eq!(row["features"]["vector"], json!([1.0, 2.0, 3.5, 4.0]));
        assert_eq!(row["statuses"], json!({"bid": "NULL"}));
    }

    #[test]
    fn full_names_of_columns_are_shown_as_they_are() {
        let (mut described, response) =
            (described(), response(1, vec![0.25, 0.0, 1.0, 1.0, 2.0, 3.5, 4.0], vec![]));
        let features = &mut described.outputs[0].features;
        features[0].column_names = vec!["num__bid".to_owned()];
        features[1].column_names = vec!["cat__kind_food".to_owned(), "cat__kind_autos".to_owned()];
        let answer = Answer::new(&described, &response, Vec::new()).expect("fits");
        let full = answer.table(true);
        for expected in ["num__bid", "cat__kind_food", "cat__kind_autos", "vector[3]"] {
            assert!(full.contains(expected), "{expected} in\n{full}");
        }
        assert!(!full.contains("kind="), "{full}");
    }

    #[test]
    fn rejects_an_answer_of_another_shape() {
        let (described, response) = (described(), response(1, vec![0.25], vec![]));
        assert!(Answer::new(&described, &response, Vec::new()).is_err());
    }
}
