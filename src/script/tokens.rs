//! Every YAML key can follow a dot, reserved words too: `http.match`, `x.default`, `x.in`.

use std::cell::Cell;
use std::rc::Rc;

use rhai::{Engine, LexError, Position, Token};

use super::advice::instead;

/// What the callback remembers from one token to the next; reset before every compile.
#[derive(Clone, Default)]
pub(super) struct AfterDot(Rc<Cell<Before>>);

/// The token before.
#[derive(Clone, Copy, Default, PartialEq)]
enum Before {
    Dot,
    /// A key of a map may follow.
    Comma,
    #[default]
    Other,
}

impl AfterDot {
    pub(super) fn reset(&self) {
        self.0.set(Before::Other);
    }
}

/// A word or sign of another language, as `advice::instead` knows it.
fn foreign(token: &Token, before: Before) -> Option<String> {
    let word = match token {
        Token::Identifier(word) => word.to_string(),
        Token::Reserved(word) => word.to_string(),
        Token::CharConstant(_) => "'".to_string(),
        Token::LexError(error) => match &**error {
            LexError::MalformedChar(_) => "'".to_string(),
            LexError::UnexpectedInput(sign) => sign.clone(),
            LexError::ImproperSymbol(sign, _) => sign.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let is_value = matches!(word.as_str(), "null" | "nil" | "None" | "not" | "'");
    (instead(&word).is_some() && (is_value || before == Before::Other)).then_some(word)
}

/// Turns reserved words and disabled symbols after a dot into names.
pub(super) fn allow_keys_after_dots(engine: &mut Engine) -> AfterDot {
    let after_dot = AfterDot::default();
    let state = after_dot.clone();
    #[expect(deprecated, reason = "the callback is not deprecated but volatile; the exact version is pinned")]
    engine.on_parse_token(move |token, _: Position, _| {
        let before = state.0.replace(match token {
            Token::Period | Token::Elvis => Before::Dot,
            Token::Comma | Token::MapStart => Before::Comma,
            _ => Before::Other,
        });
        if before != Before::Dot {
            return match foreign(&token, before) {
                Some(word) => Token::LexError(LexError::ImproperSymbol(word, String::new()).into()),
                None => token,
            };
        }
        let word = match &token {
            Token::Reserved(word) => Some(word.to_string()),
            Token::LexError(error) => match &**error {
                LexError::ImproperSymbol(word, _) => Some(word.clone()),
                _ => None,
            },
            token if token.is_standard_keyword() => Some(token.to_string()),
            _ => None,
        };
        match word {
            Some(word) if word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                Token::Identifier(Box::new(word.into()))
            }
            _ => token,
        }
    });
    after_dot
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use rhai::Scope;

    use super::super::value::V;
    use super::super::{Context, engine};
    use crate::mesh::test_mesh;
    use crate::rule::RuleSet;

    /// Keywords and reserved words of Rhai 1.27.
    const WORDS: &[&str] = &[
        "Fn",
        "as",
        "async",
        "await",
        "break",
        "call",
        "case",
        "catch",
        "const",
        "continue",
        "curry",
        "debug",
        "default",
        "do",
        "else",
        "eval",
        "exit",
        "export",
        "false",
        "fn",
        "for",
        "go",
        "goto",
        "if",
        "import",
        "in",
        "is",
        "is_def_fn",
        "is_def_var",
        "is_shared",
        "let",
        "loop",
        "match",
        "module",
        "new",
        "nil",
        "null",
        "package",
        "print",
        "private",
        "protected",
        "public",
        "return",
        "shared",
        "spawn",
        "static",
        "super",
        "switch",
        "sync",
        "this",
        "thread",
        "throw",
        "true",
        "try",
        "type_of",
        "until",
        "use",
        "var",
        "void",
        "while",
        "with",
        "yield",
    ];

    #[test]
    fn every_reserved_word_follows_a_dot() {
        let data: String = WORDS.iter().map(|word| format!("  \"{word}\": {{ \"{word}\": is-{word} }}\n")).collect();
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: a }}\ndata:\n{data}");
        let context = Context::new(Arc::new(test_mesh(&[&text])), Arc::new(RuleSet::default()));
        let properties: BTreeSet<String> = WORDS.iter().chain(&["data"]).map(|word| word.to_string()).collect();
        let (mut engine, after_dot) = engine::bare();
        engine::equip(&mut engine, &context, &properties);
        for word in WORDS {
            for code in [
                format!("d.data.{word}.{word}.text()"),
                format!("d.data . {word} .{word}.text()"),
                format!("`${{d.data.{word}.{word}}}`"),
                format!("let x = d.data.{word}; `${{x.{word}}}`"),
                format!("if d.data.{word}.{word} == \"is-{word}\" {{ \"is-{word}\" }} else {{ \"\" }}"),
            ] {
                after_dot.reset();
                let mut scope = Scope::new();
                scope.push("d", V::at(context.mesh.resources[0].root));
                let found = engine.eval_with_scope::<String>(&mut scope, &code);
                assert_eq!(found.unwrap_or_else(|error| panic!("{code}: {error}")), format!("is-{word}"), "{code}");
            }
        }
    }

    #[test]
    fn a_word_that_follows_no_dot_keeps_its_meaning() {
        let (engine, after_dot) = engine::bare();
        for code in ["let match = 1;", "let x = default;", "let switch = 1;", "switch 1 { 1 => 2 }", "let x = a.; in"] {
            after_dot.reset();
            assert!(engine.compile(code).is_err(), "{code}");
        }
    }
}
