//! Compiles the protos with protox, so that no `protoc` has to be installed.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::Compiler::new(["proto"])?
        .include_imports(true)
        .include_source_info(true)
        .open_file("quiver/v1/feature_service.proto")?
        .file_descriptor_set();
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".quiver.v1.Tensor")
        .compile_fds(descriptors.clone())?;
    fs::write(out.join("quiver.v1.bin"), prost::Message::encode_to_vec(&descriptors))?;
    Ok(())
}
