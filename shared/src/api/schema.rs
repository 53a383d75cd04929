//! Pieces of the schema that the derive cannot say.
