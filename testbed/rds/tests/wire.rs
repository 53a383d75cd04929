//! tmp
#[test]
fn t() {}
