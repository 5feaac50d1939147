//! The build secrets on the command line, those that builds ask for, and what they hold.

use super::Failure;
use crate::compiler::compile::Compiled;
use crate::images::build::Item;
use crate::images::engine::{Secret, SecretSource};
use crate::system::fs::read_user_file;
use crate::system::process::Environment;
use crate::text::error::Error;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet};

/// A token or a key is smaller than this, in bytes.
const LIMIT: u64 = 64 << 10;

/// A secret as the command line has it.
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    let (mut id, mut source) = (None, None);
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("src" | "source", value)) => source = Some(SecretSource::File(value.to_owned())),
            Some(("env", value)) => source = Some(SecretSource::Variable(value.to_owned())),
            _ => return Err("write id=ID,src=FILE or id=ID,env=NAME".into()),
        }
    }
    match (id, source) {
        (Some(id), Some(source)) if !id.is_empty() => Ok(Secret { id, source }),
        _ => Err("write id=ID,src=FILE or id=ID,env=NAME".into()),
    }
}

/// The secrets, if they are all that the builds of these targets need.
pub(super) fn required(
    secrets: Vec<Secret>,
    compiled: &Compiled,
    items: &[Item],
) -> Result<Vec<Secret>, Failure> {
    let targets = items.iter().filter_map(|item| match item {
        Item::Target(at) => compiled.json().targets.get(*at),
        Item::Toolkit(_) => None,
    });
    let below = targets.clone().filter_map(|target| target.toolkit.as_deref());
    let named = items.iter().filter(|item| matches!(item, Item::Toolkit(_)));
    let toolkits: BTreeSet<&str> = named.map(|item| item.id(compiled)).chain(below).collect();
    let toolkits = compiled.json().toolkits.iter().filter(|toolkit| toolkits.contains(toolkit.id.as_str()));
    let of_targets = targets.flat_map(|target| target.secrets.iter().map(|secret| (secret, &target.id)));
    let of_toolkits = toolkits.flat_map(|toolkit| toolkit.secrets.iter().map(|secret| (secret, &toolkit.id)));
    let mut missing = of_targets
        .chain(of_toolkits)
        .filter(|(needed, _)| secrets.iter().all(|secret| secret.id != needed.id));
    match missing.next() {
        None => Ok(secrets),
        Some((needed, user)) => Err(Failure::Usage {
            message: format!("the secret `{}` ({}) is missing: `{user}` needs it", needed.id, needed.purpose),
            help: format!(
                "hand it over: `--secret id={0},src=FILE` or `--secret id={0},env=NAME`",
                needed.id
            ),
        }),
    }
}

/// Files of secrets by absolute paths: engines are started in the manifest's directory. One that is missing is named.
pub(super) fn absolute(secrets: &[Secret], environment: &Environment) -> Result<Vec<Secret>, Failure> {
    let here = std::env::current_dir().ok().and_then(|here| Utf8PathBuf::from_path_buf(here).ok());
    let here = here.unwrap_or_default();
    let absolute = |secret: &Secret| {
        let source = match &secret.source {
            SecretSource::File(path) => {
                let path = here.join(path);
                if !path.is_file() {
                    let help = format!("write it, or name another with `--secret id={},src=FILE`", secret.id);
                    return Err(Error::new("read", path, "no such file").help(help).into());
                }
                SecretSource::File(path.into_string())
            }
            SecretSource::Variable(name) if environment.get(name).is_none() => {
                let help = format!("set {name} to the value of the secret `{}`", secret.id);
                return Err(Error::new("read", name.as_str(), "this variable is not set").help(help).into());
            }
            SecretSource::Variable(name) => SecretSource::Variable(name.clone()),
        };
        Ok(Secret { id: secret.id.clone(), source })
    };
    secrets.iter().map(absolute).collect()
}

/// What the secrets hold, by their ids.
pub(super) fn contents(
    secrets: &[Secret],
    environment: &Environment,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let read = |secret: Secret| {
        let bytes = match &secret.source {
            SecretSource::File(path) => read_user_file(Utf8PathBuf::from(path).as_path(), LIMIT)
                .map_err(|cause| Error::new("read", path.as_str(), cause))?
                .unwrap_or_default(),
            SecretSource::Variable(name) => environment.get(name).unwrap_or_default().as_bytes().to_vec(),
        };
        Ok((secret.id, bytes))
    };
    absolute(secrets, environment)?.into_iter().map(read).collect()
}
