use super::*;

fn open(folder: &Path) -> (Journal, Recovered, Vec<String>) {
    let mut entries = Vec::new();
    let mut take = |entry: &[u8]| entries.push(String::from_utf8_lossy(entry).into_owned());
    let (journal, recovered) = Journal::open(folder, &mut take).expect("opens");
    (journal, recovered, entries)
}

fn file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let file = files.next().expect("one file");
    assert!(files.next().is_none());
    file
}

#[test]
fn entries_come_back_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, recovered, entries) = open(folder.path());
    assert!(entries.is_empty() && recovered.gaps.is_empty());
    journal.append(&["one", "two"]).expect("appends");
    journal.append(&[""]).expect("appends");
    drop(journal);
    let (mut journal, recovered, entries) = open(folder.path());
    assert_eq!(entries, ["one", "two", ""]);
    assert_eq!((recovered.unfinished, recovered.next), (0, 3));
    journal.append(&["four"]).expect("appends");
    assert_eq!(open(folder.path()).2, ["one", "two", "", "four"]);
}

#[test]
fn an_unfinished_entry_is_cut_off_wherever_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, ..) = open(folder.path());
    journal.append(&["whole"]).expect("appends");
    let whole = journal.bytes() as usize;
    journal.append(&["unfinished"]).expect("appends");
    let content = fs::read(file(folder.path())).expect("reads");
    for length in whole..content.len() {
        fs::write(file(folder.path()), &content[..length]).expect("writes");
        let (mut journal, recovered, entries) = open(folder.path());
        assert_eq!(entries, ["whole"]);
        assert_eq!((recovered.gaps.len(), recovered.unfinished), (0, (length - whole) as u64));
        journal.append(&["next"]).expect("appends");
        assert_eq!(open(folder.path()).2, ["whole", "next"]);
    }
}

#[test]
fn a_damaged_entry_before_others_is_a_gap() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, ..) = open(folder.path());
    journal.append(&["first", "second", "third"]).expect("appends");
    let content = fs::read(file(folder.path())).expect("reads");
    let second = START + FRAME + "first".len();
    for at in second..second + FRAME + "second".len() {
        let mut damaged = content.clone();
        damaged[at] ^= 0x10;
        fs::write(file(folder.path()), &damaged).expect("writes");
        let (_, recovered, entries) = open(folder.path());
        assert_eq!(entries, ["first", "third"], "byte {at}");
        let found: Vec<String> = recovered.gaps.iter().map(ToString::to_string).collect();
        assert_eq!(found, [format!("1 entries from number 1 on are missing at byte {second}")]);
    }
}

#[test]
fn a_replaced_file_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, ..) = open(folder.path());
    journal.append(&["a".repeat(1000), "b".repeat(1000)]).expect("appends");
    assert!(journal.is_long(1000) && !journal.is_long(10_000));
    journal.replace(&["ab"]).expect("replaces");
    assert!(!journal.is_long(0));
    journal.append(&["c"]).expect("appends");
    drop(journal);
    // What was being replaced when the machine stopped.
    fs::write(folder.path().join("00000000000000000003.part"), "half").expect("writes");
    let (_, recovered, entries) = open(folder.path());
    assert_eq!(entries, ["ab", "c"]);
    assert_eq!((recovered.next, recovered.gaps.len()), (4, 0));
    file(folder.path());
}
