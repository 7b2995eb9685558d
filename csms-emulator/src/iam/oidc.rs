//! Identity providers of OpenID Connect, and the id tokens they issue.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use csms_sdk::SecretString;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: i64 = 60;

/// An identity provider that an account trusts.
pub(crate) struct Provider {
    pub(crate) name: String,
    /// Who has to have issued the tokens; anybody where the seed does not tell.
    pub(crate) issuer: Option<String>,
    /// For whom they may be issued; for anybody where the seed names nobody.
    pub(crate) audiences: Vec<String>,
    pub(crate) key: Key,
}

/// How its tokens are checked.
pub(crate) enum Key {
    /// With a secret that both know.
    Hs256(SecretString),
    /// With the provider's public key.
    Rs256(Box<RsaPublicKey>),
    /// Not at all: any text is a token.
    Any,
}

/// What an id token says. Absent claims are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) audience: String,
}

impl Provider {
    /// What an id token says, if this provider issued it and it is good at this time.
    ///
    /// # Errors
    /// Why it is not accepted; never the token.
    pub(crate) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, &'static str> {
        if matches!(self.key, Key::Any) {
            let claims = claims(token).unwrap_or_default();
            return Ok(Claims { subject: claims["sub"].as_str().unwrap_or("anybody").to_owned(), ..read(&claims) });
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("it is not a JWT")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "its signature is not Base64")?;
        let header = part(signed.split('.').next()).ok_or("it is not a JWT")?;
        let is_right = match (&self.key, header["alg"].as_str()) {
            (Key::Hs256(secret), Some("HS256")) => Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .is_ok_and(|mac| mac.chain_update(signed).verify_slice(&signature).is_ok()),
            (Key::Rs256(key), Some("RS256")) => {
                key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(signed), &signature).is_ok()
            }
            _ => return Err("it is signed by another algorithm than the identity provider's"),
        };
        if !is_right {
            return Err("its signature is wrong");
        }
        let claims = claims(token).ok_or("it is not a JWT")?;
        self.accept(&claims, now.timestamp()).map(|()| read(&claims))
    }

    fn accept(&self, claims: &Json, now: i64) -> Result<(), &'static str> {
        match claims["exp"].as_f64() {
            None => return Err("it does not say when it expires"),
            Some(end) if end <= (now - LEEWAY) as f64 => return Err("it has expired"),
            _ => {}
        }
        if claims["nbf"].as_f64().is_some_and(|start| start > (now + LEEWAY) as f64) {
            return Err("it is not yet good");
        }
        if self.issuer.as_deref().is_some_and(|issuer| claims["iss"] != issuer) {
            return Err("somebody else issued it");
        }
        let is_known = |audience: &str| self.audiences.iter().any(|known| known == audience);
        if !self.audiences.is_empty() && !audiences(claims).any(is_known) {
            return Err("it was issued for somebody else");
        }
        match claims["sub"].as_str() {
            None | Some("") => Err("it does not say of whom it speaks"),
            Some(_) => Ok(()),
        }
    }
}

fn claims(token: &str) -> Option<Json> {
    part(token.split('.').nth(1))
}

fn part(text: Option<&str>) -> Option<Json> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text?).ok()?).ok()
}

fn read(claims: &Json) -> Claims {
    Claims {
        subject: claims["sub"].as_str().unwrap_or_default().to_owned(),
        issuer: claims["iss"].as_str().unwrap_or_default().to_owned(),
        audience: audiences(claims).next().unwrap_or_default().to_owned(),
    }
}

/// `aud` is one text or a list.
fn audiences(claims: &Json) -> impl Iterator<Item = &str> {
    let list = claims["aud"].as_array().map(Vec::as_slice).unwrap_or_default();
    claims["aud"].as_str().into_iter().chain(list.iter().filter_map(Json::as_str))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_323_045, 0).unwrap()
    }

    fn provider(key: Key) -> Provider {
        Provider { name: "idp".into(), issuer: Some("https://idp".into()), audiences: vec!["a".into()], key }
    }

    fn token(alg: &str, secret: &str, claims: &Json) -> String {
        let encode = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(&json!({"alg": alg})), encode(claims));
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&signed);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn good() -> Json {
        json!({"iss": "https://idp", "aud": ["b", "a"], "sub": "shop", "exp": now().timestamp() + 1})
    }

    fn with(name: &str, value: Json) -> Json {
        let mut claims = good();
        claims[name] = value;
        claims
    }

    #[test]
    fn tokens_are_checked_with_the_shared_secret() {
        let verify = |token: &str| provider(Key::Hs256("secret".into())).verify(token, now());
        let expected = Claims { subject: "shop".into(), issuer: "https://idp".into(), audience: "b".into() };
        assert_eq!(verify(&token("HS256", "secret", &good())), Ok(expected));
        assert_eq!(verify(&token("HS256", "other", &good())), Err("its signature is wrong"));
        for alg in ["none", "RS256", "HS384"] {
            let problem = "it is signed by another algorithm than the identity provider's";
            assert_eq!(verify(&token(alg, "secret", &good())), Err(problem), "{alg}");
        }
        for odd in ["", "a.b", "e30.e30.", "...", "é.é.é"] {
            verify(odd).unwrap_err();
        }
    }

    #[test]
    fn claims_have_to_fit() {
        let at = |seconds: i64| json!(now().timestamp() + seconds);
        for (claims, expected) in [
            (with("exp", at(-59)), Ok(())),
            (with("exp", at(-60)), Err("it has expired")),
            (with("exp", Json::Null), Err("it does not say when it expires")),
            (with("nbf", at(60)), Ok(())),
            (with("nbf", at(61)), Err("it is not yet good")),
            (with("iss", json!("https://other")), Err("somebody else issued it")),
            (with("aud", json!("a")), Ok(())),
            (with("aud", json!("c")), Err("it was issued for somebody else")),
            (with("aud", Json::Null), Err("it was issued for somebody else")),
            (with("sub", json!("")), Err("it does not say of whom it speaks")),
        ] {
            let token = token("HS256", "secret", &claims);
            assert_eq!(provider(Key::Hs256("secret".into())).verify(&token, now()).map(|_| ()), expected, "{claims}");
        }
    }

    #[test]
    fn a_provider_may_accept_anything() {
        let verify = |token: &str| provider(Key::Any).verify(token, now()).unwrap();
        assert_eq!(verify("anything").subject, "anybody");
        assert_eq!(verify(&token("none", "", &json!({"sub": "shop"}))).subject, "shop");
    }
}
