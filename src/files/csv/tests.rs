use std::{fs, io::Write as _};

use super::*;
use crate::{
    batch::{Element, Mark, Type},
    files::Stored,
};

fn target(name: &str, stored: Stored) -> Target {
    Target::new(name, Type::scalar(stored.element()), stored)
}

fn opened(bytes: &[u8], dialect: &Dialect) -> (tempfile::TempDir, CsvFile) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rows.csv");
    fs::write(&file, bytes).expect("writes");
    let file = CsvFile::open(&file, dialect).expect("opens");
    (folder, file)
}

fn written(text: &str) -> (tempfile::TempDir, CsvFile) {
    opened(text.as_bytes(), &Dialect::default())
}

fn batches(file: &CsvFile, targets: &[Target], rows: usize) -> Vec<Batch> {
    file.batches(targets.to_vec(), rows).expect("reads").collect::<Result<_, _>>().expect("good")
}

/// The misfits of the first target.
fn misfits(file: &CsvFile, target: Target) -> Vec<String> {
    let batch = batches(file, &[target], 10).remove(0);
    batch.misfits[0]
        .iter()
        .map(|(row, misfit)| format!("{row}: {}", misfit.with_way_out("--lossy")))
        .collect()
}

#[test]
fn fields_are_read_by_their_columns_names() {
    let (_folder, file) = written("id,text,bid,on\n7,\"a,\"\"b\"\"\n\",0.1,true\n,,nan,False\n-1,é,,\n");
    let targets = [
        target("bid", Stored::Float32),
        target("id", Stored::Int64),
        target("text", Stored::String),
        target("on", Stored::Bool),
    ];
    let batches = batches(&file, &targets, 2);
    assert_eq!(batches.iter().map(|batch| batch.rows).collect::<Vec<_>>(), [2, 1]);
    let [bid, id, text, on] = batches[0].columns.as_slice() else { panic!("four columns") };
    assert_eq!(bid.float64()[0], f64::from(0.1_f32));
    assert!(bid.float64()[1].is_nan() && !bid.marks[1].is_null());
    assert_eq!((id.int64()[0], id.marks[1]), (7, Mark::NULL));
    assert_eq!((text.strings().get(0), text.marks[1]), ("a,\"b\"\n", Mark::NULL));
    assert_eq!(on.bool(), [true, false]);
    assert_eq!(batches[1].columns[2].strings().get(0), "é");
    assert_eq!(batches.iter().map(|batch| batch.bytes).sum::<u64>(), file.bytes());
}

#[test]
fn what_does_not_fit_is_reported() {
    let (_folder, file) = written("id,id,n\n1,2,x\n");
    assert!(file.check(&target("id", Stored::Int64)).expect_err("twice").contains("twice"));
    assert!(file.check(&target("more", Stored::Int64)).is_err());
    assert_eq!(misfits(&file, target("n", Stored::Int64)), ["0: \"x\" is not int64 (--lossy makes it null)"]);
    let (_folder, short) = written("a,b\n1\n");
    let targets = vec![target("a", Stored::Int64)];
    assert!(short.batches(targets, 10).expect("reads").next().expect("a batch").is_err());
}

#[test]
fn numbers_are_read_where_nothing_is_lost() {
    let (_folder, file) = written("n\n1.0\nnan\nTrue\n2.5\n9007199254740993\n9007199254740992.0\n");
    assert_eq!(
        misfits(&file, target("n", Stored::Int64)),
        [
            "3: \"2.5\" is not a whole number for int64 (--lossy cuts the fraction)",
            "5: \"9007199254740992.0\" may stand for another integer: floats hold each whole number below 2^53 \
             only, so write the column as integers (--lossy takes it as it is)"
        ]
    );
    assert_eq!(
        misfits(&file, target("n", Stored::Float64)),
        ["4: \"9007199254740993\" is not exact in float64 (--lossy rounds it)"]
    );
    let lossy = Target { lossy: true, ..target("n", Stored::Int64) };
    let column = batches(&file, &[lossy], 10).remove(0).columns.remove(0);
    assert_eq!(column.int64(), [1, 0, 1, 2, 9_007_199_254_740_993, 9_007_199_254_740_992]);
    assert_eq!(column.marks.iter().filter(|mark| mark.is_null()).count(), 1);
}

#[test]
fn lists_and_vectors_are_texts_in_brackets() {
    let (_folder, file) = written("l;v\n[7, null];[0.5 -1.]\n;[]\n[];[0.1, 0.2, 0.3]\n7;[1, null]\n");
    let lists = Target::new("l", Type::scalar(Element::Int64).listed(), Stored::Int64);
    let vectors = Target::new("v", Type::vector(2), Stored::Float32);
    let batch = batches(&file, &[lists, vectors], 10).remove(0);
    let list = batch.columns[0].list.as_ref().expect("lists");
    assert_eq!(list.offsets, [0, 2, 2, 2, 2]);
    assert_eq!(list.marks, [Mark::PRESENT, Mark::NULL, Mark::PRESENT, Mark::NULL]);
    assert_eq!(batch.columns[0].marks, [Mark::PRESENT, Mark::NULL]);
    assert_eq!(batch.columns[1].marks, [Mark::PRESENT, Mark::NULL, Mark::NULL, Mark::NULL]);
    assert_eq!(batch.columns[1].float64()[..2], [0.5, -1.0]);
    let misfits = batch.misfits.iter().flat_map(Misfits::iter);
    assert_eq!(
        misfits.map(|(row, misfit)| format!("{row}: {}", misfit.why)).collect::<Vec<_>>(),
        [
            "3: \"7\" is not a list: write it as [1, 2, 3] or [\"a\", \"b\"]",
            "2: a vector of 3, 2 are wanted",
            "3: null inside a vector",
        ]
    );
}

#[test]
fn separators_compression_and_null_texts_are_understood() {
    let text = "\u{feff}id;name\n1;a\n2;?\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("packs");
    let gzip = gzip.finish().expect("packs");
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("packs");
    let dialect = Dialect { nulls: vec!["?".to_owned()], ..Dialect::default() };
    for bytes in [text.as_bytes(), &gzip, &zstd] {
        let (_folder, file) = opened(bytes, &dialect);
        let batch =
            batches(&file, &[target("id", Stored::Int64), target("name", Stored::String)], 10).remove(0);
        assert_eq!(batch.columns[0].int64(), [1, 2]);
        assert_eq!(batch.columns[1].marks, [Mark::PRESENT, Mark::NULL]);
        assert_eq!(batch.bytes, bytes.len() as u64);
    }
    let truncated = &gzip[..gzip.len() - 10];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rows.csv.gz");
    fs::write(&file, truncated).expect("writes");
    let found = CsvFile::open(&file, &dialect).map(|_| ()).expect_err("truncated");
    assert!(found.starts_with("can't be read"), "{found}");
}

#[test]
fn names_may_be_given_and_spaces_cut() {
    let names = Some(["age", "class"].map(str::to_owned).to_vec());
    let dialect = Dialect { separator: ", ".parse().ok(), names, nulls: vec![] };
    let (_folder, file) = opened(b"39, Private\n50, \n", &dialect);
    let batch =
        batches(&file, &[target("age", Stored::Int64), target("class", Stored::String)], 10).remove(0);
    assert_eq!(batch.columns[0].int64(), [39, 50]);
    assert_eq!((batch.columns[1].strings().get(0), batch.columns[1].marks[1]), ("Private", Mark::NULL));
    let (_folder, file) = opened(b"1,2,3\n", &dialect);
    let found = file.batches(vec![], 10).expect("reads").next().expect("a batch").expect_err("three fields");
    assert_eq!(found, "line 1 has 3 fields for 2 columns");
}

#[test]
fn a_quote_that_nothing_closes_is_rejected_and_swallows_no_rows() {
    let targets = [target("id", Stored::Int64), target("text", Stored::String)];
    let read = |text: &str| -> Result<usize, String> {
        let (_folder, file) = written(text);
        file.batches(targets.to_vec(), 2)?.map(|batch| Ok(batch?.rows)).sum()
    };
    for good in ["id,text\n1,a\n2,\"b\nc\"\n3,5\"", "id,text\r\n1,a\r\n2,\"\"\r\n3,\"\"\"\"\r\n\r\n"] {
        assert_eq!(read(good), Ok(3), "{good}");
    }
    assert_eq!(read("id,text\n"), Ok(0));
    let unclosed = "line 3 has a quote that nothing closes".to_owned();
    for bad in [
        "id,text\n1,a\n2,\"b\n3,c\n",
        "id,text\n1,a\n2,\"",
        "id,text\n1,a\n2,\"\"\"\n3,c",
        "id,text\n1,a\n\"2,b\n3,c",
    ] {
        assert_eq!(read(bad), Err(unclosed.clone()), "{bad}");
    }
    let (_folder, empty) = written("");
    assert_eq!((empty.names().len(), batches(&empty, &[], 2).len()), (0, 0));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rows.csv");
    fs::write(&file, "id,\"text\n1,a\n").expect("writes");
    let problem = CsvFile::open(&file, &Dialect::default()).expect_err("no header");
    assert_eq!(problem, "line 1 has a quote that nothing closes");
}
