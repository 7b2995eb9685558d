//! The least that a command line on clap can be: what `csms --version` is compared with.

fn main() {
    clap::Command::new("empty").version("0.1.0").get_matches();
}
