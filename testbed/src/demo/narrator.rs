//! What the demo prints: one line a step, with the seconds since the start; colours only on a terminal.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    time::Instant,
};

/// Tells a person what happens.
#[derive(Debug)]
pub(crate) struct Narrator {
    started: Instant,
    colours: bool,
}

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Green,
    Yellow,
}

impl Narrator {
    pub(crate) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { started: Instant::now(), colours: wanted && io::stdout().is_terminal() }
    }

    /// Begins a chapter.
    pub(crate) fn chapter(&self, title: &str) {
        self.line(&format!("\n{}", self.paint(Style::Bold, title)));
    }

    /// Something has been reached.
    pub(crate) fn done(&self, text: impl Display) {
        self.timed(&self.paint(Style::Green, "✓"), &text);
    }

    /// Something goes on.
    pub(crate) fn note(&self, text: impl Display) {
        self.timed(" ", &text);
    }

    /// A command that the demo runs, as a person would type it.
    pub(crate) fn command(&self, command: &str) {
        self.line(&format!("          {}", self.paint(Style::Bold, &format!("$ {command}"))));
    }

    /// What a command printed.
    pub(crate) fn output(&self, text: &str) {
        for line in text.lines() {
            let style = if line.starts_with("Warning:") { Style::Yellow } else { Style::Dim };
            self.line(&format!("          {}", self.paint(style, line)));
        }
    }

    /// Plain text, as it is.
    pub(crate) fn plain(&self, text: &str) {
        self.line(text);
    }

    fn timed(&self, mark: &str, text: &dyn Display) {
        let seconds = format!("{:6.1} s", self.started.elapsed().as_secs_f64());
        self.line(&format!("{} {mark} {text}", self.paint(Style::Dim, &seconds)));
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => 1,
            Style::Dim => 2,
            Style::Green => 32,
            Style::Yellow => 33,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    #[allow(clippy::unused_self, reason = "called like the narrator's other methods")]
    fn line(&self, text: &str) {
        // A pipe whose reader has gone is no reason to leave the demo half done.
        let _ = writeln!(io::stdout(), "{text}");
    }
}
