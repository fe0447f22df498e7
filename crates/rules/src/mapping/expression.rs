//! Expressions: rhai without anything that could wait, loop, define or grow. No text that a person types can hang or stop the hub.
//!
//! The bounds hold together: an expression has at most [`LONGEST`] characters, so it has a bounded number of operations; a text has
//! at most [`LONGEST_TEXT`] bytes, and every function here that could make a longer one refuses before it allocates. What is kept at once
//! is bounded by [`DEPTH`] texts.

use super::function;
use super::names;
use crate::table::Table;
use comptoir_model::Decimal;
use rhai::packages::{ArithmeticPackage, BasicStringPackage, LogicPackage, Package};
use rhai::{AST, Dynamic, Engine, EvalAltResult, OptimizationLevel, Scope};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of an expression, at most.
pub const LONGEST: usize = 2_000;
/// Bytes of a text that an expression makes, at most.
pub const LONGEST_TEXT: usize = 16 * 1024;
/// Nesting of an expression, at most.
pub const DEPTH: usize = 32;
/// Operations of one evaluation, at most.
const OPERATIONS: u64 = 10_000;
/// Elements of a list or map that an expression makes, at most.
const ELEMENTS: usize = 10_000;

/// Words of rhai that are switched off: what defines, prints, inspects or evaluates, and maps and ranges, which rules have no use for.
const OFF: [&str; 14] = [
    "eval",
    "print",
    "debug",
    "Fn",
    "call",
    "curry",
    "type_of",
    "is_def_var",
    "is_def_fn",
    "is_shared",
    "this",
    "#{",
    "..",
    "..=",
];

/// The variables that stand beside the fields of the order.
pub const VARIABLES: [&str; 5] = ["line", "raw", "ext", "source", "stock"];

/// An engine that knows these look-up tables.
pub fn engine(tables: Arc<BTreeMap<String, Table>>) -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_max_operations(OPERATIONS)
        .set_max_expr_depths(DEPTH)
        .set_max_string_size(LONGEST_TEXT)
        .set_max_array_size(ELEMENTS)
        .set_max_map_size(ELEMENTS)
        .set_strict_variables(true)
        .set_allow_looping(false)
        .set_allow_statement_expression(false)
        .set_allow_shadowing(false)
        .set_fail_on_invalid_map_property(false)
        .set_optimization_level(OptimizationLevel::Simple)
        // Ours are asked first: whole numbers divide exactly, and a text is not silently another thing than a number.
        .set_fast_operators(false);
    for word in OFF {
        engine.disable_symbol(word);
    }
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    function::register(&mut engine, tables);
    engine
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    ast: AST,
}

/// What is wrong with the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadExpression {
    /// In English and in French.
    pub what: [String; 2],
    /// A word that is not known, and those that are.
    pub unknown: Option<(String, Vec<String>)>,
}

impl BadExpression {
    fn new(english: String, french: String) -> Self {
        BadExpression {
            what: [english, french],
            unknown: None,
        }
    }
}

impl Expression {
    /// Compiles a text. `list` is the list whose elements the rule writes, which `line` then stands for.
    ///
    /// # Errors
    /// [`BadExpression`], with the place in the text.
    pub fn compile(
        engine: &Engine,
        scope: &Scope<'_>,
        text: &str,
        list: Option<&str>,
    ) -> Result<Self, BadExpression> {
        if text.chars().count() > LONGEST {
            return Err(BadExpression::new(
                format!("the expression has more than {LONGEST} characters"),
                format!("l'expression dépasse {LONGEST} caractères"),
            ));
        }
        if depth(text) > 2 * DEPTH {
            return Err(BadExpression::new(
                format!("the expression is nested more than {} deep", 2 * DEPTH),
                format!(
                    "l'expression est imbriquée sur plus de {} niveaux",
                    2 * DEPTH
                ),
            ));
        }
        // Our own look first: it knows the fields of an order and suggests the right ones.
        names::check(text, list)?;
        match engine.compile_expression_with_scope(scope, text) {
            Ok(ast) => Ok(Expression {
                text: text.to_owned(),
                ast,
            }),
            Err(error) => Err(BadExpression::new(
                format!("the expression cannot be read: {error}"),
                format!("l'expression est illisible : {error}"),
            )),
        }
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// The engine's, with the place in the text.
    pub fn eval(
        &self,
        engine: &Engine,
        scope: &mut Scope<'_>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        engine.eval_ast_with_scope(scope, &self.ast)
    }

    /// Whether it reads this variable.
    pub fn reads(&self, variable: &str) -> bool {
        names::roots(&self.text).any(|root| root == variable)
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// How deep brackets nest, those in texts included: enough to keep any reader off the end of its stack.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in text.bytes() {
        match letter {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A value as JSON; none for what no field can hold.
pub fn to_json(value: &Dynamic) -> Option<serde_json::Value> {
    use serde_json::Value;
    if let Ok(text) = value.as_immutable_string_ref() {
        return Some(Value::String(text.to_string()));
    }
    if let Ok(flag) = value.as_bool() {
        return Some(Value::Bool(flag));
    }
    if let Ok(whole) = value.as_int() {
        return Some(Value::from(whole));
    }
    if let Ok(exact) = value.as_decimal() {
        return Some(Value::String(plain(exact)));
    }
    if let Ok(letter) = value.as_char() {
        return Some(Value::String(letter.to_string()));
    }
    let items = value.as_array_ref().ok()?;
    let items: Option<Vec<Value>> = items.iter().map(to_json).collect();
    items.map(Value::Array)
}

/// A number as people write it: without zeros at the end.
pub fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// A value as text, for look-ups and texts; none for lists and maps.
pub fn to_text(value: &Dynamic) -> Option<String> {
    match to_json(value)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Bool(flag) => Some(flag.to_string()),
        serde_json::Value::Number(whole) => Some(whole.to_string()),
        _ => None,
    }
}

/// Nothing, or an empty text or list.
pub fn is_missing(value: &Dynamic) -> bool {
    value.is_unit()
        || value
            .as_immutable_string_ref()
            .is_ok_and(|text| text.trim().is_empty())
        || value.as_array_ref().is_ok_and(|items| items.is_empty())
}
