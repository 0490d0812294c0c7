//! Every YAML key can follow a dot, reserved words too: `http.match`, `x.default`, `x.in`.

use std::cell::Cell;
use std::rc::Rc;

use rhai::{Engine, LexError, Position, Token};

/// What the callback remembers from one token to the next; reset before every compile.
#[derive(Clone, Default)]
pub(super) struct AfterDot(Rc<Cell<bool>>);

impl AfterDot {
    pub(super) fn reset(&self) {
        self.0.set(false);
    }
}

/// Turns reserved words and disabled symbols after a dot into names.
pub(super) fn allow_keys_after_dots(engine: &mut Engine) -> AfterDot {
    let after_dot = AfterDot::default();
    let state = after_dot.clone();
    #[expect(deprecated, reason = "the callback is not deprecated but volatile; the exact version is pinned")]
    engine.on_parse_token(move |token, _: Position, _| {
        let follows = state.0.replace(matches!(token, Token::Period | Token::Elvis));
        if !follows {
            return token;
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
