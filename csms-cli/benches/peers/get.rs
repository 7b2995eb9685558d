//! One call with bare `reqwest`, and its value printed: what `csms get` is compared with.

use std::{env, error::Error, io::Write as _};

fn main() -> Result<(), Box<dyn Error>> {
    // reqwest has no provider of its own here, and asks for one even where no TLS is spoken.
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "a provider is there already")?;
    let url = env::args().nth(1).ok_or("no URL")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let answer = reqwest::get(url).await?.error_for_status()?.bytes().await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        let value = answer["version"]["secret_string"].as_str().ok_or("no value")?;
        std::io::stdout().write_all(value.as_bytes())?;
        Ok(())
    })
}
