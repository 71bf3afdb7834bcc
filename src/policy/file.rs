//! `policy.json`: read, and written aside and renamed, so that nobody ever reads half of one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use super::Policy;
use crate::{files::read_text, problem::Problems};

/// The file's name, beside the versions.
pub const FILE: &str = "policy.json";

/// The name under which it is written; names that begin with a dot are passed over.
const ASIDE: &str = ".policy.json";

/// Reads the policy of a feature set's or table's folder; none where it has no such file. Problems' places begin with the
/// file's name. It is not yet [checked](Policy::checked).
pub fn read(folder: &Path) -> Result<Option<Policy>, Problems> {
    let file = folder.join(FILE);
    // A link that leads nowhere is there too, and must not count as no policy.
    match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let text = read_text(&file).map_err(|why| Problems::one("", why));
    text.and_then(|text| from_text(&text)).map(Some).map_err(|found| found.in_file(FILE))
}

pub(super) fn from_text(text: &str) -> Result<Policy, Problems> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| Problems::one("", format!("not valid JSON: {error}")))?;
    serde_path_to_error::deserialize(value).map_err(Problems::of_json)
}

/// Writes the policy into a feature set's or table's folder.
pub fn write(folder: &Path, policy: &Policy) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(policy)?;
    text.push('\n');
    let aside = folder.join(ASIDE);
    let mut file = File::create(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(aside, folder.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Serve;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(read(folder.path()), Ok(None));
        let policy = Policy { previous: vec![1, 2], ..Policy::serving(Serve::Pinned(3)) };
        write(folder.path(), &policy).expect("writes");
        assert_eq!(read(folder.path()), Ok(Some(policy)));
        assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 1);
        fs::write(folder.path().join(FILE), "{\"serve\": 1}").expect("writes");
        assert!(read(folder.path()).expect_err("bad").to_string().starts_with("policy.json: "));
        assert!(write(Path::new("no/such/folder"), &Policy::default()).is_err());
    }
}
