//! `schema`: the JSON Schemas of what Comptoir reads and stores, made from its own types.

use super::Context;
use crate::exit::{self, Failure};
use crate::{out, workspace};
use clap::{Args, Subcommand};
use comptoir_model::document::Document;
use comptoir_rules::policy::OrderPolicy;

#[derive(Debug, Args)]
pub struct SchemaArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The canonical documents: order, customer, product …
    Document,
    /// The `[policy]` of an order flow.
    Policy,
    /// The settings of a connection.
    Connection {
        /// The connector.
        connector: String,
    },
}

/// Runs the command.
pub fn run(_context: &Context, arguments: SchemaArguments) -> Result<u8, Failure> {
    let schema = match arguments.what {
        What::Document => schemars::schema_for!(Document),
        What::Policy => schemars::schema_for!(OrderPolicy),
        What::Connection { connector } => (workspace::spec(&connector)?.settings)(),
    };
    out::json(&schema);
    Ok(exit::OK)
}
