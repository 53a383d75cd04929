//! Whole objects: the binary says of each what the API server says.

use crate::program::check;

#[path = "../objects/mod.rs"]
mod tables;

#[test]
fn what_kubernetes_takes_is_right() {
    for object in tables::admitted() {
        let ran = check(&object.to_string(), &[]);
        assert_eq!((ran.code, ran.json()["summary"]["objects"].as_u64()), (0, Some(1)), "{}", ran.out);
    }
}

#[test]
fn what_kubernetes_refuses_is_refused() {
    for object in tables::refused() {
        let ran = check(&object.to_string(), &[]);
        assert_eq!((ran.code, ran.json()["findings"].as_array().map(Vec::len)), (1, Some(1)), "{object}: {}", ran.out);
    }
}
