//! An image's configuration and its modules -> the script that the machine runs once it has booted.

use crate::images::image::Config;

/// What comes after the part that is the image's own.
const REST: &str = include_str!("script.sh");

/// The script; `modules` are names as the kernel knows them, each after those that it needs.
pub(super) fn script(config: &Config, modules: &[String]) -> String {
    let mut text = "#!/bin/sh\nrun_command() {\n".to_owned();
    for variable in &config.env {
        if let Some((name, value)) = variable.split_once('=').filter(|(name, _)| is_name(name)) {
            text.push_str(&format!("    export {name}={}\n", quoted(value)));
        }
    }
    if !config.working_dir.is_empty() {
        text.push_str(&format!("    cd {}\n", quoted(&config.working_dir)));
    }
    let words: Vec<_> = command(config).iter().map(|word| quoted(word)).collect();
    text.push_str(&match words.as_slice() {
        [] => "    :\n}\n".to_owned(),
        words => format!("    exec {}\n}}\n", words.join(" ")),
    });
    text + &format!("modules={}\n", quoted(&modules.join(" "))) + REST
}

/// The words of the command that a container of the image runs.
pub(super) fn command(config: &Config) -> Vec<String> {
    config.entrypoint.iter().chain(&config.cmd).cloned().collect()
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_image_says_is_quoted() {
        let config = Config {
            env: vec!["A=it's".into(), "2=x".into(), "B C=x".into()],
            entrypoint: vec!["/run me".into()],
            cmd: vec!["$(x)".into()],
            working_dir: "/a b".into(),
            ..Config::default()
        };
        let text = script(&config, &["one".into(), "two".into()]);
        let head = "#!/bin/sh\nrun_command() {\n    export A='it'\\''s'\n    cd '/a b'\n    exec '/run me' '$(x)'\n}\nmodules='one two'\n";
        assert!(text.starts_with(head), "{text}");
        assert!(script(&Config::default(), &[]).contains("{\n    :\n}"));
    }
}
