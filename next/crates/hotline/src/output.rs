//! Lines on standard output. A reader that has seen enough (`| head`) ends the command quietly.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes a line, or ends the process: quietly when the reader has gone, with the reason when it cannot be written.
pub(crate) fn line(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if let Err(e) = out.write_fmt(text).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        gone(&e);
        eprintln!("hotline: writing to standard output: {e}");
        std::process::exit(2);
    }
}

/// Ends the process quietly when the reader of what is written has gone.
pub(crate) fn gone(e: &std::io::Error) {
    if e.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
}

/// `println!` by way of [`line()`].
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {
        $crate::output::line(format_args!($($text)*))
    };
}
