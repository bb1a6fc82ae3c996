//! Compiles the .proto files with protox, so that no protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["record", "sync", "local", "enrolment", "fleet", "media", "inbox", "admin"]
        .map(|name| format!("lumbung/v1/{name}.proto"));
    let descriptors = protox::compile(files, ["."])?;
    tonic_prost_build::configure()
        .bytes(".lumbung.v1")
        .codec_path("crate::codec::FrugalCodec")
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=lumbung");
    Ok(())
}
