//! What is copied, in one text: with its region and account, so that it is found again and not mistaken.

use crate::error::Error;

/// The text for a `kind` of thing, whose id or name and id are `rest`.
pub(super) fn write(service: &str, region: Option<&str>, account: Option<&str>, kind: &str, rest: &str) -> String {
    format!("{service}:{}:{}:{kind}:{rest}", region.unwrap_or_default(), account.unwrap_or_default())
}

/// The `rest` of a text that [`write`] made; `None` when it is anything else.
///
/// # Errors
/// When it names another region than the one that is called; `field` is the one it was given in.
pub(super) fn read<'a>(
    text: &'a str,
    service: &str,
    kind: &str,
    own: Option<&str>,
    field: &str,
) -> Result<Option<&'a str>, Error> {
    let mut parts = text.splitn(5, ':');
    let (Some(of), Some(region), Some(_), Some(what), Some(rest)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    if (of, what) != (service, kind) {
        return Ok(None);
    }
    match own {
        Some(own) if !region.is_empty() && region != own => {
            Err(Error::invalid(field, format!("is in {region}, but the client calls {own}")))
        }
        _ => Ok(Some(rest)),
    }
}
