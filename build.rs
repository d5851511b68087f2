//! Builds the program again when the console was built again: `src/http/console/assets.rs` contains its files.

fn main() {
    println!("cargo::rerun-if-changed=console");
}
