use crate::engine::postgres::quote::{ident, literal};

/// Puts names into a statement: `:'name'` becomes a literal and `:"name"` an identifier, as in psql. A block of procedural code takes no
/// parameters.
pub(super) fn fill(template: &str, names: &[(&str, &str)]) -> String {
    names.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!(":'{name}'"), &literal(value)).replace(&format!(":\"{name}\""), &ident(value))
    })
}
