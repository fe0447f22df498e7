//! Comptoir: a self-hosted hub between online shops and ERPs. This crate wires the others together; it holds no rules of its own.

mod advice;
mod api;
mod cli;
mod config;
mod console;
mod exit;
mod fit;
mod hooks;
mod metrics;
mod out;
mod secrets;
mod words;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::of_the_command_line();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            out::talk(format!("the runtime cannot start: {error}"));
            return ExitCode::from(exit::STORE);
        }
    };
    cli::log(&arguments);
    match runtime.block_on(cli::run(arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let language = words::language(|name| std::env::var(name).ok());
            out::talk(failure.text(language));
            if let Some(code) = failure.code {
                out::talk(format!("  docs/errors/{code}.md"));
            }
            ExitCode::from(failure.exit)
        }
    }
}
