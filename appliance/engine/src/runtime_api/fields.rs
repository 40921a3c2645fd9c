//! Numbers and words with a name, and the ways HAProxy writes them: CSV, `typed` and `json`
//! (HAProxy's management guide, sections 9.1 and 9.2).

use std::fmt::Write as _;

/// What a field is called and what kind of thing it is.
pub(super) struct Field {
    /// HAProxy's name.
    pub(super) name: &'static str,
    /// Origin, nature and scope, one letter each, as `typed` writes them.
    pub(super) tags: &'static str,
    /// For `desc`.
    pub(super) text: &'static str,
}

/// What a field holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value {
    /// Nothing is known, or it means nothing for this object: CSV leaves the column empty, the other
    /// forms leave it out.
    #[default]
    Unknown,
    /// `str`
    Text(String),
    /// `s32`
    Signed(i32),
    /// `u32`
    Small(u32),
    /// `u64`
    Large(u64),
    /// `flt`
    Float(f64),
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// CSV or `name: value`.
    #[default]
    Plain,
    /// One line for each field, with its kind.
    Typed,
    /// One array.
    Json,
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Small(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Large(number)
    }
}

impl Value {
    /// Whether there is anything to tell.
    pub(super) fn is_known(&self) -> bool {
        *self != Self::Unknown
    }

    /// The value alone. A text cannot break the line it stands in.
    pub(super) fn write_plain(&self, out: &mut String) {
        // Writing to a `String` does not fail.
        let _ = match self {
            Self::Unknown => Ok(()),
            Self::Text(text) => {
                out.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
                Ok(())
            }
            Self::Signed(number) => write!(out, "{number}"),
            Self::Small(number) => write!(out, "{number}"),
            Self::Large(number) => write!(out, "{number}"),
            Self::Float(number) => write!(out, "{number:.6}"),
        };
    }

    /// As a CSV column (RFC 4180: quoted when it holds a comma or a quote).
    pub(super) fn write_csv(&self, out: &mut String) {
        match self {
            Self::Text(text) if text.contains([',', '"']) => {
                out.push('"');
                Self::Text(text.replace('"', "\"\"")).write_plain(out);
                out.push('"');
            }
            _ => self.write_plain(out),
        }
    }

    /// The end of a `typed` line: `:TAGS:TYPE:VALUE`.
    pub(super) fn write_typed(&self, tags: &str, out: &mut String) {
        let _ = write!(out, ":{tags}:{}:", self.kind());
        self.write_plain(out);
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Text(_) => "str",
            Self::Signed(_) => "s32",
            Self::Small(_) => "u32",
            Self::Large(_) => "u64",
            Self::Float(_) => "flt",
        }
    }
}

/// One object of a `json` answer. `owner` is what goes before, such as `"objType":"Server",`.
pub(super) fn write_json(
    owner: &str,
    position: usize,
    field: &Field,
    value: &Value,
    out: &mut String,
) {
    let [origin, nature, scope] = tag_words(field.tags);
    let _ = write!(
        out,
        "{{{owner}\"field\":{{\"pos\":{position},\"name\":\"{}\"}},\"processNum\":1,\
         \"tags\":{{\"origin\":\"{origin}\",\"nature\":\"{nature}\",\"scope\":\"{scope}\"}},\
         \"value\":{{\"type\":\"{}\",\"value\":",
        field.name,
        value.kind()
    );
    match value {
        Value::Text(text) => write_json_text(text, out),
        _ => value.write_plain(out),
    }
    out.push_str("}}");
}

/// A JSON string (RFC 8259, section 7).
fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn tag_words(tags: &str) -> [&'static str; 3] {
    let mut letters = tags.chars();
    let origin = match letters.next() {
        Some('M') => "Metric",
        Some('S') => "Status",
        Some('K') => "Key",
        Some('C') => "Config",
        Some('P') => "Product",
        _ => "Unknown",
    };
    let nature = match letters.next() {
        Some('G') => "Gauge",
        Some('L') => "Limit",
        Some('m') => "Min",
        Some('M') => "Max",
        Some('R') => "Rate",
        Some('C') => "Counter",
        Some('D') => "Duration",
        Some('A') => "Age",
        Some('T') => "Time",
        Some('N') => "Name",
        Some('O') => "Output",
        Some('a') => "Avg",
        _ => "Unknown",
    };
    let scope = match letters.next() {
        Some('C') => "Cluster",
        Some('S') => "Service",
        Some('P') => "Process",
        _ => "Unknown",
    };
    [origin, nature, scope]
}
