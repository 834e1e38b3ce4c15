//! Puts the built console where the node embeds it. A build without it serves a page that says how to get it.

use std::path::Path;
use std::{env, fs, io};

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            _ = fs::copy(entry.path(), target)?
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("console");
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../console/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    if dist.join("index.html").exists() {
        return copy(&dist, &out);
    }
    fs::create_dir_all(&out)?;
    let page = "<!doctype html><title>Hotline</title><p>This binary was built without the console. Run <code>make console</code> and build again.";
    fs::write(out.join("index.html"), page)
}
