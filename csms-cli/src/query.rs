//! `--query`: a JMESPath expression on the answer.

use csms_sdk::SecretJson;
use jmespath::{
    Context, DEFAULT_RUNTIME, ErrorReason, Expression, JmespathError, Rcvar, RuntimeError, Variable, ast::Ast,
};
use serde_json::Value as Json;

use crate::error::{Exit, Failure};

/// What can open a level, or make the tree of an expression deeper by one.
const OPERATORS: &str = "([{!&.|*<>=?";
/// More of them are refused: each may take its room on the stack, when it is read and whenever it is applied.
const MOST_OPERATORS: usize = 200;

/// An expression that can be applied to some answer at least.
pub(crate) struct Query(Expression<'static>);

impl Query {
    /// Reads an expression. All is found that is wrong with it whatever the answer is.
    pub(crate) fn of(text: &str) -> Result<Self, Failure> {
        let faulty = |problem: String, cause: String| {
            Failure::usage("invalid_query", format!("--query is not JMESPath: {problem}"))
                .cause(format!("{cause}; nothing was sent"))
                .hint("see https://jmespath.org; quote the expression for the shell")
        };
        let count = operators(text);
        if count > MOST_OPERATORS {
            return Err(faulty(
                "it is too long".to_owned(),
                format!("it has {count} operators, more than {MOST_OPERATORS}"),
            ));
        }
        let checked = jmespath::compile(text).and_then(|query| check(query.as_ast(), text).map(|()| Self(query)));
        checked.map_err(|error| faulty(reason(&error), format!("column {} of the expression", error.column + 1)))
    }

    /// The part of an answer that it means. The failure has an exit code, and does not say what has been done.
    pub(crate) fn apply(&self, json: &Json) -> Result<SecretJson, Failure> {
        let failed =
            |problem: String| Failure::new(Exit::Unexpected, "query", format!("--query cannot be applied: {problem}"));
        let found = self.0.search(json).map_err(|error| failed(reason(&error)))?;
        serde_json::to_value(found).map(SecretJson::from).map_err(|error| failed(error.to_string()))
    }
}

/// How many operators stand outside of quotes.
fn operators(text: &str) -> usize {
    let (mut quote, mut count) = (None, 0);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(end), _) if character == end => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, _) if OPERATORS.contains(character) => count += 1,
            _ => {}
        }
    }
    count
}

/// Looks for functions that there are not, that take another number of arguments, and for slices without a step. Of which
/// type arguments are is known only when there is an answer.
fn check(ast: &Ast, text: &str) -> Result<(), JmespathError> {
    let each = |parts: &[&Ast]| parts.iter().try_for_each(|part| check(part, text));
    match ast {
        Ast::Function { offset, name, args } => {
            let mut context = Context::new(text, &DEFAULT_RUNTIME);
            context.offset = *offset;
            let Some(function) = DEFAULT_RUNTIME.get_function(name) else {
                let reason = ErrorReason::Runtime(RuntimeError::UnknownFunction(name.clone()));
                return Err(JmespathError::from_ctx(&context, reason));
            };
            // They are counted before they are looked at.
            let nothing: Vec<_> = args.iter().map(|_| Rcvar::new(Variable::Null)).collect();
            match function.evaluate(&nothing, &mut context) {
                Err(error) if is_of_count(&error) => Err(error),
                _ => args.iter().try_for_each(|part| check(part, text)),
            }
        }
        Ast::Slice { offset, step: 0, .. } => {
            let reason = ErrorReason::Runtime(RuntimeError::InvalidSlice);
            Err(JmespathError::new(text, *offset, reason))
        }
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => each(&[lhs, rhs]),
        Ast::Condition { predicate, then, .. } => each(&[predicate, then]),
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => check(node, text),
        Ast::MultiList { elements, .. } => elements.iter().try_for_each(|part| check(part, text)),
        Ast::MultiHash { elements, .. } => elements.iter().try_for_each(|part| check(&part.value, text)),
        Ast::Identity { .. } | Ast::Field { .. } | Ast::Index { .. } | Ast::Literal { .. } | Ast::Slice { .. } => {
            Ok(())
        }
    }
}

fn is_of_count(error: &JmespathError) -> bool {
    matches!(
        error.reason,
        ErrorReason::Runtime(RuntimeError::NotEnoughArguments { .. } | RuntimeError::TooManyArguments { .. })
    )
}

/// What is wrong with an expression or its use. Names types, never values.
fn reason(error: &JmespathError) -> String {
    match &error.reason {
        ErrorReason::Parse(problem) => problem.clone(),
        ErrorReason::Runtime(problem) => problem.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        match Query::of(text) {
            Ok(_) => panic!("{text} is taken"),
            Err(failure) => failure.summary(),
        }
    }

    #[test]
    fn what_no_answer_could_fit_is_found_before_there_is_one() {
        for text in
            ["foo(a)", "a.foo(b)", "[?foo(a)]", "sort_by(@, &foo(a))", "{a: [b, foo(a)]}", "!foo(a) || b", "foo(a)[]"]
        {
            assert!(refused(text).contains("undefined function foo"), "{text}");
        }
        for text in ["length(a, `1`)", "length()", "a | abs()", "not_null()", "map(&a)", "*.length()"] {
            assert!(refused(text).contains("arguments: expected"), "{text}: {}", refused(text));
        }
        assert!(refused("a[::0]").contains("slice"));
        assert!(refused("a[").contains("Expected"));
    }

    #[test]
    fn what_some_answer_fits_is_taken() {
        for text in [
            "abs(a)",
            "keys(@)",
            "length(a)",
            "sort_by(a, &b)[].c",
            "join(', ', a)",
            "merge(a, b, c)",
            "not_null(a, b)",
            "max_by(a, &b).c",
            "[?contains(name, '((((')].{n: name, l: length(list || `[]`)}",
            "to_string(@)",
            "@",
        ] {
            assert!(Query::of(text).is_ok(), "{text}");
        }
        let text = format!("contains(@, '{}')", "([{".repeat(1000));
        assert!(Query::of(&text).is_ok());
    }

    #[test]
    fn an_expression_cannot_be_so_deep_that_the_stack_ends() {
        let forms = [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            ("!", ""),
            ("&", ""),
            ("[?", "]"),
            ("abs(", ")"),
            ("a.", ""),
            ("a||", ""),
            ("a|", ""),
            ("a<", ""),
            ("*.", ""),
            ("", "[0]"),
            ("", "[]"),
            ("", "[*]"),
            ("", ".*"),
        ];
        // Half of what a process usually has.
        let thread = std::thread::Builder::new().stack_size(4 << 20);
        let tried = thread.spawn(move || {
            for (open, close) in forms {
                let text = |times: usize| format!("{}a{}", open.repeat(times), close.repeat(times));
                assert!(refused(&text(100_000)).contains("too long"), "{open}{close}");
                for times in [MOST_OPERATORS / 2, MOST_OPERATORS] {
                    if let Ok(query) = Query::of(&text(times)) {
                        let _ = query.apply(&json!({"a": [[1], {"a": 2}]}));
                    }
                }
            }
        });
        tried.unwrap().join().unwrap();
    }

    #[test]
    fn a_failure_names_types_and_no_value() {
        let failure = Query::of("abs(a)").unwrap().apply(&json!({"a": "hunter2"})).unwrap_err();
        assert!(failure.summary().contains("given string") && !format!("{failure:?}").contains("hunter2"));
    }
}
