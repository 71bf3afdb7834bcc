//! Compiles the protos with protox, so that no `protoc` has to be installed.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// The package's protos, as imports name them.
const PACKAGE: &str = "quiver/v1";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    for name in sorted_names(&Path::new("proto").join(PACKAGE))? {
        compiler.open_file(Path::new(PACKAGE).join(name))?;
    }
    let descriptors = compiler.file_descriptor_set();
    tonic_prost_build::configure().bytes(".quiver.v1.Tensor").compile_fds(descriptors.clone())?;
    fs::write(out.join("quiver.v1.bin"), prost::Message::encode_to_vec(&descriptors))?;
    Ok(())
}

fn sorted_names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}
