//! The credentials file of the official SDKs.

use std::path::PathBuf;

use super::{
    AccessKeys, BoxFuture, Context, Federated, ProvideCredentials, ProvideError, ProvideResult, Provided,
    key_file::KeyFile,
};
use crate::env::Env;

/// The credentials file of the official SDKs: the one that `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names, else
/// `~/.huaweicloud/credentials`.
///
/// ```ini
/// [basic]
/// ak = …
/// sk = …
/// security_token = …
/// project_id = …
/// ```
///
/// Instead of keys there can be `idp_id` and `id_token_file` for a [federated login](Federated); both together win
/// over keys. Sections are kinds of credentials, not profiles, and CSMS and KMS take the kind `[basic]`. Blanks around
/// names and values do not count, nor do lines that begin with `#` or `;`; nothing is special inside a value.
/// `iam_endpoint` is not read: set `HUAWEICLOUD_SDK_IAM_ENDPOINT`, or give the endpoint to the client.
///
/// *Not configured* when the usual file is missing or another user's, or nothing in it is for CSMS and KMS. *Broken*
/// when a file that was named is missing, when everybody can read or change it, and when a key lacks its counterpart.
/// Keys are read once: the file does not say when temporary ones expire.
#[derive(Clone, Debug, Default)]
pub struct ProfileFile {
    path: Option<PathBuf>,
}

impl ProfileFile {
    /// Another file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()) }
    }
}

impl ProfileFile {
    fn file(&self, env: &Env) -> Result<KeyFile, ProvideError> {
        match &self.path {
            Some(path) => Ok(KeyFile::at(path)),
            None => KeyFile::locate(env, "HUAWEICLOUD_SDK_CREDENTIALS_FILE", ".huaweicloud/credentials"),
        }
    }

    /// Looks at the file alone; whether its group can read it.
    pub(super) async fn inspect(&self, env: &Env) -> Result<(String, bool), ProvideError> {
        let file = self.file(env)?;
        let (_, is_open_to_group) = file.inspect().await?;
        Ok((file.shown, is_open_to_group))
    }
}

impl ProvideCredentials for ProfileFile {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let file = self.file(context.env())?;
            let bytes = file.read().await?;
            let Ok(text) = std::str::from_utf8(bytes.expose_secret()) else {
                return Err(ProvideError::broken(format!("{} is not UTF-8 text", file.shown)));
            };
            let basic = Section::read(text, "basic");
            if basic.get("iam_endpoint").is_some() {
                tracing::warn!(file = file.shown, "iam_endpoint is not read; set HUAWEICLOUD_SDK_IAM_ENDPOINT");
            }
            let project_id = basic.get("project_id").map(str::to_owned);
            if let (Some(idp_id), Some(token_file)) = (basic.get("idp_id"), basic.get("id_token_file")) {
                let mut login = Federated::new(idp_id, token_file);
                if let Some(project_id) = &project_id {
                    login = login.project_id(project_id);
                }
                let mut provided = login.provide(context).await?;
                provided.origin = format!("{} (idp_id)", file.shown);
                provided.project_id = provided.project_id.or(project_id);
                return Ok(provided);
            }
            let keys = match (basic.get("ak"), basic.get("sk")) {
                (Some(ak), Some(sk)) => AccessKeys::new(ak, sk),
                (Some(_), None) => {
                    return Err(ProvideError::broken(format!("{}: [basic] has ak and no sk", file.shown)));
                }
                (None, Some(_)) => {
                    return Err(ProvideError::broken(format!("{}: [basic] has sk and no ak", file.shown)));
                }
                (None, None) => return Err(no_keys(&file.shown, text, &basic)),
            };
            let keys = match basic.get("security_token") {
                Some(token) => keys.with_security_token(token),
                None => keys,
            };
            Ok(Provided::new(keys, file.shown).with_project_id(project_id))
        })
    }

    fn is_regional(&self) -> bool {
        true
    }
}

fn no_keys(shown: &str, text: &str, basic: &Section<'_>) -> ProvideError {
    for (there, missing) in [("idp_id", "id_token_file"), ("id_token_file", "idp_id"), ("security_token", "ak and sk")]
    {
        if basic.get(there).is_some() {
            return ProvideError::broken(format!("{shown}: [basic] has {there} and no {missing}"));
        }
    }
    let reason = match Section::read(text, "global").0.is_empty() {
        true => "no ak and sk in [basic]",
        false => "it has keys in [global] only, for calls to a whole account; CSMS and KMS need them in [basic]",
    };
    ProvideError::NotConfigured(format!("{shown}: {reason}"))
}

/// Names and values of one section. The last of two equal names counts.
struct Section<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Section<'a> {
    fn read(text: &'a str, wanted: &str) -> Self {
        let mut inside = false;
        let mut entries = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[') {
                inside = name.split_once(']').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
            } else if inside
                && !line.starts_with(['#', ';'])
                && let Some((name, value)) = line.split_once(['=', ':'])
                && !value.trim().is_empty()
            {
                entries.push((name.trim(), value.trim()));
            }
        }
        Self(entries)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(entry, _)| entry.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_leniently() {
        let text = "\u{feff}ak = outside\n; note\n[ basic ]\r\n  ak=  A K%(x)s=1 \n# sk = old\nSK : se;cret#\nodd line\n\
                    project_id =\n[global]\nak = other\n[basic\nak = broken";
        let basic = Section::read(text, "basic");
        assert_eq!(basic.get("ak"), Some("A K%(x)s=1"));
        assert_eq!(basic.get("sk"), Some("se;cret#"));
        assert_eq!(basic.get("project_id"), None);
        assert_eq!(Section::read(text, "global").get("ak"), Some("other"));
    }
}
