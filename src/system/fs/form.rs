//! The bytes of a file -> whether it is one that is no source as it is: a Git LFS pointer, a private key, an output of drvc.

pub use super::Form;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Git LFS's specification: a pointer is shorter than this.
const POINTER_LIMIT: usize = 1024;
/// A key is shorter than this; larger files are not searched for one.
const KEY_LIMIT: usize = 64 << 10;

/// `-----BEGI`, the beginning of a PEM file, in base64.
const ENCODED: &[u8] = b"LS0tLS1CRUdJ";
/// The first line of a PEM file is shorter than this in base64.
const LABEL_LIMIT: usize = 128;

/// How outputs of drvc begin: see `compiler::seal`.
const SEALS: [&[u8]; 2] = [b"# drvc-seal ", b"{\"seal\": \""];

/// What these bytes, the whole of a file, are.
#[must_use]
pub fn of(bytes: &[u8]) -> Form {
    if SEALS.iter().any(|seal| bytes.starts_with(seal)) {
        return Form::Sealed;
    }
    if bytes.len() < POINTER_LIMIT && is_pointer(bytes) {
        return Form::LfsPointer;
    }
    if bytes.len() < KEY_LIMIT && (holds_key(bytes) || is_binary_key(bytes)) {
        Form::PrivateKey
    } else {
        Form::Plain
    }
}

fn is_pointer(bytes: &[u8]) -> bool {
    ["version https://git-lfs", "version https://hawser.github.com"]
        .iter()
        .any(|start| bytes.starts_with(start.as_bytes()))
}

/// `-----BEGIN … PRIVATE KEY-----` or `… PRIVATE KEY BLOCK-----` as a line of its own, with more after it.
fn holds_key(bytes: &[u8]) -> bool {
    // YAML indents its texts.
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let begins = |line: &[u8]| {
        let label = line.strip_prefix(b"-----BEGIN ").and_then(|line| line.strip_suffix(b"-----"));
        label.is_some_and(|label| label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK"))
    };
    lines.by_ref().any(begins) && lines.any(|line| !line.is_empty()) || is_key_in_text(bytes)
}

/// A key of age, which is one line; one in JSON, whose lines are written as `\n`; or one in base64, as kubeconfigs and Secrets
/// have it.
fn is_key_in_text(bytes: &[u8]) -> bool {
    let has = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    let is_age = |line: &[u8]| line.starts_with(b"AGE-SECRET-KEY-1");
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    bytes.split(|byte| *byte == b'\n').any(is_age)
        || (is_json && has(bytes, br"PRIVATE KEY-----\n") && has(bytes, b"-----END "))
        || bytes
            .windows(ENCODED.len())
            .enumerate()
            .any(|(at, window)| window == ENCODED && bytes.get(at..).is_some_and(is_encoded_key))
}

/// Whether text in base64 begins with the first line of a key.
fn is_encoded_key(text: &[u8]) -> bool {
    let letter = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let letters: Vec<u8> = text.iter().take(LABEL_LIMIT).take_while(letter).copied().collect();
    let whole = letters.get(..letters.len() / 4 * 4).unwrap_or_default();
    let Ok(text) = STANDARD.decode(whole) else { return false };
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    first.ends_with(b"PRIVATE KEY-----") || first.ends_with(b"PRIVATE KEY BLOCK-----")
}

/// A private key as PuTTY keeps it, or in DER: PKCS#8, PKCS#1, SEC 1, and PKCS#12 with what else there is.
fn is_binary_key(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"PuTTY-User-Key-File-") {
        return true;
    }
    // A sequence: its length in one byte, or in as many as the low bits say. It is the whole of the file.
    let Some((0x30, [length, rest @ ..])) = bytes.split_first().map(|(first, rest)| (*first, rest)) else {
        return false;
    };
    let wide = usize::from(length & 0x7f);
    let (length, content) = match *length {
        0..=0x7f => (wide, Some(rest)),
        _ => {
            let digits = rest.get(..wide.min(8)).unwrap_or_default();
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest.get(wide..))
        }
    };
    let Some(content) = content.filter(|content| content.len() == length) else { return false };
    let version = content.get(..3).unwrap_or_default();
    let next = content.get(3).copied();
    match version {
        [2, 1, 0 | 1] => matches!(next, Some(0x30 | 0x02 | 0x04)),
        [2, 1, 3] => next == Some(0x30),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_keys_in_binary_form() {
        let sequence = |content: &[u8]| [&[0x30, 0x82, 0, content.len() as u8], content].concat();
        let integer = [0x02, 0x03, 0x01, 0x00, 0x01];
        for (content, is_key) in [
            ([&[2, 1, 0, 0x30][..], &integer].concat(), true),
            ([&[2, 1, 0, 0x02][..], &integer].concat(), true),
            ([&[2, 1, 1, 0x04][..], &integer].concat(), true),
            ([&[2, 1, 3, 0x30][..], &integer].concat(), true),
            ([&[0x30, 3, 2, 1, 0][..], &integer].concat(), false),
            (b"0 is no key".to_vec(), false),
        ] {
            let form = of(&sequence(&content));
            assert_eq!(form == Form::PrivateKey, is_key, "{content:?}");
        }
        assert_eq!(of(b"PuTTY-User-Key-File-3: ssh-ed25519\n"), Form::PrivateKey);
        assert_eq!(of(&[0x30, 0x09, 2, 1, 0, 0x30]), Form::Plain);
    }

    #[test]
    fn tells_pointers_and_keys_from_what_speaks_of_them() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        let key = |label: &str| format!("-----BEGIN {label}-----\r\nMIIB\r\n-----END {label}-----\r\n");
        let encoded = |label: &str| STANDARD.encode(key(label).replace('\r', ""));
        for (text, form) in [
            (pointer.to_owned(), Form::LfsPointer),
            (format!("{pointer}{}", " ".repeat(1024)), Form::Plain),
            (key("PRIVATE KEY"), Form::PrivateKey),
            (key("RSA PRIVATE KEY"), Form::PrivateKey),
            (key("ENCRYPTED PRIVATE KEY"), Form::PrivateKey),
            (key("OPENSSH PRIVATE KEY"), Form::PrivateKey),
            (key("PGP PRIVATE KEY BLOCK"), Form::PrivateKey),
            (format!("{}{}", key("CERTIFICATE"), key("EC PRIVATE KEY")), Form::PrivateKey),
            (key("CERTIFICATE"), Form::Plain),
            ("# drvc-seal 00\nFROM scratch\n".to_owned(), Form::Sealed),
            (key("PUBLIC KEY"), Form::Plain),
            ("char *s = \"-----BEGIN PRIVATE KEY-----\\n\";\nint x;\n".to_owned(), Form::Plain),
            ("-----BEGIN PRIVATE KEY-----".to_owned(), Form::Plain),
            ("# created today\nAGE-SECRET-KEY-1QQPQ\n".to_owned(), Form::PrivateKey),
            (format!("{{\"private_key\": {:?}}}", key("PRIVATE KEY").replace('\r', "")), Form::PrivateKey),
            (format!("    client-key-data: {}\n", encoded("RSA PRIVATE KEY")), Form::PrivateKey),
            (format!("data: {{tls.key: {}}}\n", encoded("PRIVATE KEY")), Form::PrivateKey),
            (format!("    certificate-authority-data: {}\n", encoded("CERTIFICATE")), Form::Plain),
            ("client-key-data: LS0tLS1CRUdJ\n".to_owned(), Form::Plain),
            (
                format!("stringData:\n  tls.key: |\n    {}", key("EC PRIVATE KEY").replace("\r\n", "\n    ")),
                Form::PrivateKey,
            ),
            (format!("x = {{\"private_key\": {:?}}}", key("PRIVATE KEY").replace('\r', "")), Form::Plain),
        ] {
            assert_eq!(of(text.as_bytes()), form, "{text}");
        }
    }
}
