//! Arguments in parentheses: the second level of quoting (HAProxy manual, section 2.2).

/// What is wrong with arguments.
#[derive(Debug)]
pub(super) struct ArgumentError {
    pub(super) message: String,
    /// Byte of the text.
    pub(super) at: usize,
}

/// Reads `(A,B)` with exactly `wanted` arguments, and says how long it is. Without arguments the
/// parentheses may be missing.
pub(super) fn arguments(text: &str, wanted: usize) -> Result<(Vec<String>, usize), ArgumentError> {
    let missing = |got: usize, at| ArgumentError {
        message: format!(
            "missing arguments (got {got}/{wanted}), type 'string' expected in argument {}",
            got + 1
        ),
        at,
    };
    if !text.starts_with('(') {
        return match wanted {
            0 => Ok((Vec::new(), 0)),
            _ => Err(missing(0, 0)),
        };
    }
    let mut found = Vec::new();
    let mut current = String::new();
    let mut quote: Option<char> = None;
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => match characters.peek().copied() {
                Some((_, next @ ('\\' | '"' | '\'' | ' ' | ','))) => {
                    characters.next();
                    current.push(next);
                }
                Some((_, 'n')) => push_control(&mut characters, &mut current, '\n'),
                Some((_, 'r')) => push_control(&mut characters, &mut current, '\r'),
                Some((_, 't')) => push_control(&mut characters, &mut current, '\t'),
                _ => current.push('\\'),
            },
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            (',', None) if found.len() + 1 < wanted => found.push(std::mem::take(&mut current)),
            (',', None) => {
                return Err(ArgumentError {
                    message: format!("expected ')' in argument {}", found.len() + 1),
                    at,
                });
            }
            (')', None) => {
                if wanted > 0 {
                    found.push(current);
                } else if !current.is_empty() {
                    return Err(ArgumentError {
                        message: "no argument supported, but one found in argument 1".to_owned(),
                        at: 1,
                    });
                }
                return match found.len() {
                    got if got < wanted => Err(missing(got, at)),
                    _ => Ok((found, at + 1)),
                };
            }
            _ => current.push(character),
        }
    }
    Err(ArgumentError {
        message: format!("expected ')' in argument {}", found.len() + 1),
        at: text.len(),
    })
}

fn push_control(
    characters: &mut impl Iterator<Item = (usize, char)>,
    out: &mut String,
    control: char,
) {
    characters.next();
    out.push(control);
}
