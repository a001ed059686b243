//! How a run is shown while it goes: a bar on a terminal, a line per step anywhere else.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use nexus_core::sync::Progress;
use nexus_jobs::Reporter;

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Watch {
    bar: Option<ProgressBar>,
    step: Mutex<String>,
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// A bar where somebody looks, lines where something reads.
    #[must_use]
    pub fn new() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            bar.set_style(style(false));
            bar
        });
        Self { bar, step: Mutex::default() }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(counted: bool) -> ProgressStyle {
    let template = if counted {
        "{msg:28} {bar:32.cyan/dim} {pos}/{len} ({elapsed})"
    } else {
        "{msg:28} {spinner:.cyan} {pos} ({elapsed})"
    };
    // The two templates are constants; one that were wrong would show the default bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Reporter for Watch {
    fn report(&self, progress: &Progress) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *step != progress.step;
        progress.step.clone_into(&mut step);
        match &self.bar {
            Some(bar) => {
                if is_new {
                    bar.set_style(style(progress.total.is_some()));
                    bar.set_message(progress.step.clone());
                }
                if let Some(total) = progress.total {
                    bar.set_length(total);
                }
                bar.set_position(progress.done);
            }
            // Nobody is left to tell when standard error is closed.
            None if is_new => drop(writeln!(stderr(), "{}", progress.step)),
            None => {}
        }
    }
}
