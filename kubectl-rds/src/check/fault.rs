//! What is told should the program itself be at fault: whose file it was, and an exit code that no pipeline takes for an answer.

use std::io::{self, Write as _};
use std::panic;
use std::process;
use std::sync::{Mutex, PoisonError};

/// The input that is being read.
static INPUT: Mutex<String> = Mutex::new(String::new());

/// Notes which input is read.
pub(crate) fn at(input: &str) {
    input.clone_into(&mut INPUT.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Ends the process with this code at a panic.
pub(crate) fn tell(code: u8) {
    panic::set_hook(Box::new(move |fault| {
        let input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to tell, should this fail as well.
        let _ = writeln!(io::stderr(), "{input}: kubectl-rds cannot read this, which is its own fault: {fault}");
        process::exit(code.into());
    }));
}
