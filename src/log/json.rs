//! JSON that has one spelling: what is kept in files and shown to strangers (receipts, evidence)
//! may be indented as one likes, and nothing else.

use serde::{Serialize, de::DeserializeOwned};

/// Reads what [`write`] wrote. Refused: another order or spelling of keys, numbers, digits or
/// escapes, unknown or repeated keys, anything but white space between the tokens.
pub(crate) fn read<T: Serialize + DeserializeOwned>(text: &str) -> Result<T, String> {
    let value: T = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let canonical = serde_json::to_string(&value).map_err(|e| e.to_string())?;
    if without_white_space(text) != canonical {
        return Err("it is not spelled the one way this release writes it".to_owned());
    }
    Ok(value)
}

/// Indented, with a newline at the end.
pub(crate) fn write<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("structs of strings and numbers always have a JSON form");
    text.push('\n');
    text
}

/// Drops JSON's white space (RFC 8259 §2) between the tokens, not within strings.
fn without_white_space(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let mut dense = String::with_capacity(text.len());
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        dense.push(c);
    }
    dense
}
