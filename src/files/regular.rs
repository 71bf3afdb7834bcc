//! Opening files that are files: a pipe would wait for a writer that never comes, and a device never ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Opens a regular file, or one that a link leads to.
pub fn open(file: &Path) -> io::Result<File> {
    // Without this flag the open call itself waits where the file is a pipe.
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(file)?;
    if opened.metadata()?.is_file() {
        return Ok(opened);
    }
    Err(io::Error::other("not a regular file"))
}

/// Reads a regular file of text, or says why it can't be read.
pub fn read_text(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    open(file)
        .and_then(|mut opened| opened.read_to_string(&mut text))
        .map(|_| text)
        .map_err(|error| format!("can't be read: {error}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, process::Command};

    use super::*;

    #[test]
    fn pipes_devices_and_links_to_them_are_rejected_and_do_not_wait() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "text").expect("writes");
        assert!(Command::new("mkfifo").arg(path("pipe")).status().expect("runs").success());
        for (link, to) in
            [("of-file", "file"), ("of-pipe", "pipe"), ("of-device", "/dev/zero"), ("to-none", "none")]
        {
            symlink(to, path(link)).expect("links");
        }
        symlink("circle", path("circle")).expect("links");
        for good in ["file", "of-file"] {
            assert_eq!(read_text(&path(good)).as_deref(), Ok("text"));
        }
        for bad in ["pipe", "of-pipe", "of-device", "."] {
            assert_eq!(read_text(&path(bad)).expect_err(bad), "can't be read: not a regular file");
        }
        for bad in ["none", "to-none", "circle"] {
            assert!(read_text(&path(bad)).is_err(), "{bad}");
        }
    }
}
