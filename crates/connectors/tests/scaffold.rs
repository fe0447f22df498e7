//! The files that `comptoir connector new` copies, compiled and run as they are: what it makes compiles and keeps the contract.

#[path = "../template/mod.rs"]
mod template;

#[test]
fn the_scaffold_claims_nothing() {
    let level = template::SPEC.level;
    assert!(matches!(level, comptoir_model::port::Verification::Docs));
}
