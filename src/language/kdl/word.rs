//! Reads an unquoted word: a name, a number, a keyword, or a mistake with the words that explain it.

use super::Data;
use crate::text::diag::{Code, shown};

/// Why a word cannot stand where it does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

const KEYWORDS: [&str; 6] = ["#true", "#false", "#null", "#inf", "#-inf", "#nan"];

/// Characters that no name has, and after which a word is read to its end before it is refused.
pub(super) fn is_mistaken(c: char) -> bool {
    matches!(c, '/' | '\\' | '(' | ')' | '[' | ']')
}

/// What a word means as a value.
pub(super) fn value(word: &str) -> Result<Data, Refusal> {
    if word.starts_with('#') {
        return keyword(word);
    }
    if word.starts_with(['[', ',']) || word.ends_with(',') || is_punctuation(word) {
        return Err(list_punctuation(word));
    }
    if word.starts_with('\'') {
        return Err(unquoted(word.trim_matches('\''), "single quotes do not quote here".to_owned()));
    }
    if word.starts_with(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) {
        let inner = word.trim_matches(|c: char| !c.is_ascii());
        return Err(unquoted(inner, "quotes of typography do not quote here".to_owned()));
    }
    if KEYWORDS.iter().any(|keyword| keyword.strip_prefix('#') == Some(word)) {
        return Err(bare_keyword(word));
    }
    if let Some(c) = word.chars().find(|&c| is_mistaken(c) || c == '#') {
        return Err(unquoted(word, format!("a text without quotes cannot hold `{c}`")));
    }
    if !looks_numeric(word) {
        return Ok(Data::Text(word.to_owned()));
    }
    number(word).ok_or_else(|| unquoted(word, "begins like a number but is none".to_owned()))
}

fn keyword(word: &str) -> Result<Data, Refusal> {
    match word {
        "#true" => Ok(Data::Bool(true)),
        "#false" => Ok(Data::Bool(false)),
        "#null" => Ok(Data::Null),
        "#inf" | "#-inf" | "#nan" => Ok(Data::Number),
        _ => Err(Refusal {
            code: Code::UnknownKeyword,
            message: format!("{} means nothing", shown(word)),
            label: "words with a `#` are `#true`, `#false` and `#null`".to_owned(),
            help: "a comment begins with `//`; a text that begins with `#` needs quotes".to_owned(),
        }),
    }
}

/// Whether nothing is left of a word without commas and brackets.
pub(super) fn is_punctuation(word: &str) -> bool {
    word.chars().all(|c| "[](),".contains(c))
}

fn list_punctuation(word: &str) -> Refusal {
    let needless = word.chars().find(|&c| "[],()".contains(c)).unwrap_or(',');
    Refusal {
        code: Code::ListPunctuation,
        message: "lists have neither commas nor brackets".to_owned(),
        label: format!("`{needless}` is not needed"),
        help: "write values side by side, a space between them: `arch \"x86_64\" \"aarch64\"`".to_owned(),
    }
}

fn bare_keyword(word: &str) -> Refusal {
    Refusal {
        code: Code::BareKeyword,
        message: format!("`{word}` lacks its `#`"),
        label: "KDL 2 keeps this word for `#` in front".to_owned(),
        help: format!("write `#{word}`, or `\"{word}\"` where a text is meant"),
    }
}

fn unquoted(word: &str, label: String) -> Refusal {
    let quoted = if word.contains('\\') { format!("#\"{word}\"#") } else { format!("\"{word}\"") };
    let comment = word.find("//").or_else(|| word.find("/*")).and_then(|at| word.get(..at));
    let help = match comment {
        Some(before) if value(before).is_ok() && !before.ends_with(':') => {
            format!("quote it: {}, or put a space before the comment", shown(&quoted))
        }
        _ => format!("quote it: {}", shown(&quoted)),
    };
    Refusal { code: Code::UnquotedText, message: format!("{} needs quotes", shown(word)), label, help }
}

/// Whether KDL takes the word for a number, right or wrong: a digit, behind a sign and a dot perhaps.
fn looks_numeric(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit())
}

/// A number by KDL's grammar: whole (decimal, `0x`, `0o`, `0b`) or with a fraction or an exponent; `_` between digits.
fn number(word: &str) -> Option<Data> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let sign = if word.starts_with('-') { "-" } else { "" };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            return are_digits(digits, radix).then(|| integer(sign, digits, radix));
        }
    }
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let exponent_digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let parts = [Some(whole), fraction, exponent_digits];
    if !parts.iter().flatten().all(|digits| are_digits(digits, 10)) {
        return None;
    }
    let is_whole = fraction.is_none() && exponent.is_none();
    Some(if is_whole { integer(sign, whole, 10) } else { Data::Number })
}

fn are_digits(text: &str, radix: u32) -> bool {
    text.starts_with(|c: char| c.is_digit(radix)) && text.chars().all(|c| c == '_' || c.is_digit(radix))
}

fn integer(sign: &str, digits: &str, radix: u32) -> Data {
    let plain: String = sign.chars().chain(digits.chars().filter(|&c| c != '_')).collect();
    i64::from_str_radix(&plain, radix).map_or(Data::Number, Data::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        let text = |text: &str| Ok(Data::Text(text.to_owned()));
        let cases: &[(&str, Result<Data, Code>)] = &[
            ("kernel-rt", text("kernel-rt")),
            ("<9", text("<9")),
            ("-", text("-")),
            ("--jobs", text("--jobs")),
            (".x", text(".x")),
            ("0", Ok(Data::Integer(0))),
            ("-1_000", Ok(Data::Integer(-1000))),
            ("0xff", Ok(Data::Integer(255))),
            ("-0b1_0", Ok(Data::Integer(-2))),
            ("9.4", Ok(Data::Number)),
            ("1e3", Ok(Data::Number)),
            ("99999999999999999999", Ok(Data::Number)),
            ("#true", Ok(Data::Bool(true))),
            ("#null", Ok(Data::Null)),
            ("true", Err(Code::BareKeyword)),
            ("-inf", Err(Code::BareKeyword)),
            ("#yes", Err(Code::UnknownKeyword)),
            ("#", Err(Code::UnknownKeyword)),
            ("1.2.3", Err(Code::UnquotedText)),
            ("5.14.0-427.el9_4.x86_64", Err(Code::UnquotedText)),
            (".5", Err(Code::UnquotedText)),
            ("0x", Err(Code::UnquotedText)),
            ("1.", Err(Code::UnquotedText)),
            ("a/b", Err(Code::UnquotedText)),
            ("a#b", Err(Code::UnquotedText)),
            ("C:\\x", Err(Code::UnquotedText)),
            ("x86_64,", Err(Code::ListPunctuation)),
            ("[", Err(Code::ListPunctuation)),
            ("[CONFIG_DRM]", Err(Code::ListPunctuation)),
            ("'a'", Err(Code::UnquotedText)),
        ];
        for (word, expected) in cases {
            assert_eq!(&value(word).map_err(|refusal| refusal.code), expected, "{word}");
        }
    }
}
