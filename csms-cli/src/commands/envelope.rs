//! `csms encrypt`, `decrypt` and `rewrap`: files and streams of any size under keys of KMS.

mod held;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
};

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Client, ErrorKind, Operation as _, SecretBytes,
    envelope::{Envelope, EnvelopeError},
    kms::{CreateDatakey, DecryptDatakey, EncryptDatakey},
    policy::Resource,
};
use serde_json::json;
use tokio::{fs::File, io::AsyncWrite};

use self::held::{Content, Held};
use crate::{
    error::{Exit, Failure, ProgressLine},
    file, input,
    needs::Needs,
    output,
    session::Session,
    subject,
    verb::Own,
};

/// `csms encrypt`.
pub(crate) const ENCRYPT: Own = Own {
    name: "encrypt",
    about: "Encrypts a file of any size under a key",
    grammar: encrypt_grammar,
    run: encrypt,
    calls: calls_of_encrypt,
};
/// `csms decrypt`.
pub(crate) const DECRYPT: Own = Own {
    name: "decrypt",
    about: "Decrypts what `encrypt` made",
    grammar: decrypt_grammar,
    run: decrypt,
    calls: calls_of_decrypt,
};
/// `csms rewrap`.
pub(crate) const REWRAP: Own = Own {
    name: "rewrap",
    about: "Puts an encrypted file under other keys, without decrypting its content",
    grammar: rewrap_grammar,
    run: rewrap,
    calls: calls_of_rewrap,
};

/// What encrypted files are called.
const EXTENSION: &str = "enc";
/// The progress is shown again after so many bytes.
const STEP: u64 = 16 << 20;

/// What is done to a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Encrypt,
    Decrypt,
}

fn encrypt_grammar(command: Command) -> Command {
    let command = with_keys(command.arg(subject_arg("FILE", "The file; `-` is standard input")));
    command.args(file::flags()).after_help(
        "Without --to-file the file FILE.enc is written; what comes from standard input goes to standard output. Each \
         of several keys opens the file alone. Its content is encrypted on this machine; KMS makes and protects the key for it.",
    )
}

fn decrypt_grammar(command: Command) -> Command {
    let command = with_keys(command.arg(subject_arg("FILE", "The encrypted file; `-` is standard input")));
    command
        .arg(any_key())
        .args(file::flags())
        .arg(
            Arg::new("stream")
                .long("stream")
                .action(ArgAction::SetTrue)
                .help("Print each part once it is verified, before it is known that none is missing"),
        )
        .after_help(
            "Without --to-file the file is written without `.enc` behind its name; what comes from standard input goes to \
             standard output. Only files under a key that is named are opened. Nothing is printed or put in place \
             before all of it is verified: what is printed is kept until then in memory, beyond 16 MiB in a file \
             without a name in TMPDIR.",
        )
}

fn rewrap_grammar(command: Command) -> Command {
    with_keys(command.arg(subject_arg("FILE", "The encrypted file, which is replaced")))
        .args([
            Arg::new("from").long("from").value_name("KEY").action(ArgAction::Append).help("Key that it is under now"),
            any_key(),
        ])
        .after_help(
            "--key and --region-key name the keys that the file is to be under. Its content stays as it is and is not \
             verified: who has the old file and may use the old key can still decrypt both.",
        )
}

fn subject_arg(name: &'static str, help: &'static str) -> Arg {
    Arg::new("file").value_name(name).required(true).help(help)
}

fn with_keys(command: Command) -> Command {
    let several = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append)
    };
    command.args([
        several("key", "KEY", "A key: its id, name or alias; can be given again"),
        several("region-key", "REGION=KEY", "A key of another region; can be given again"),
        several("context", "NAME=VALUE", "Bind the file to this pair, nothing secret; can be given again"),
    ])
}

fn any_key() -> Arg {
    Arg::new("any-key").long("any-key").action(ArgAction::SetTrue).help("Open it under any key that you may use")
}

fn encrypt(session: &Session<'_>) -> Result<ExitCode, Failure> {
    convert(session, Direction::Encrypt)
}

fn decrypt(session: &Session<'_>) -> Result<ExitCode, Failure> {
    convert(session, Direction::Decrypt)
}

fn convert(session: &Session<'_>, direction: Direction) -> Result<ExitCode, Failure> {
    let name = session.text("file").unwrap_or_default();
    let shown = if name == "-" { "stdin" } else { name };
    let keys = Keys::of(session, direction == Direction::Decrypt && session.is_set("any-key"))?;
    let target = target(session, name, direction)?;
    let (overwrite, force) = (session.is_set("overwrite"), session.is_set("force"));
    let is_released_early = direction == Direction::Encrypt || session.is_set("stream");
    if let Some(path) = &target {
        file::check_free(path, overwrite)?;
    }
    let pipe = match target {
        None if is_released_early => Some(session.output.pipe(force)?),
        _ => None,
    };
    let source = input::open("FILE", name)?;
    let connection = session.connect()?;
    let client = connection.client.clone();
    let progress = ProgressLine::new(session.reporter);
    let work = async {
        let envelope = told_of_progress(keys.envelope(session, &client).await?, progress);
        let told = |error| told(error, shown);
        let reader = File::from_std(source);
        match (&target, pipe) {
            (Some(path), _) => {
                let draft = file::draft(path)?;
                let written = draft.as_file().try_clone().map_err(|error| file::unwritable(path, &error))?;
                let count = run(&envelope, direction, reader, File::from_std(written)).await.map_err(told)?;
                progress.end();
                file::place(draft, path, overwrite)?;
                Ok(count)
            }
            (None, Some(pipe)) => run(&envelope, direction, reader, File::from_std(pipe)).await.map_err(|error| {
                let failure = told(error);
                match failure.exit() {
                    Exit::Integrity => failure.cause("what was printed is genuine, but it is not all"),
                    _ => failure,
                }
            }),
            (None, None) => {
                let mut held = Held::default();
                let count = run(&envelope, direction, reader, &mut held).await.map_err(told)?;
                progress.end();
                let content = held
                    .content()
                    .await
                    .map_err(|error| told(EnvelopeError::Io("read the temporary file".to_owned(), error)))?;
                print(session, content, count, force).await?;
                Ok(count)
            }
        }
    };
    let outcome = connection.until_interrupted(work);
    progress.end();
    let count = outcome?;
    if let Some(path) = &target {
        let path = path.display();
        let done = match direction {
            Direction::Encrypt => format!("encrypted {shown} into {path}"),
            Direction::Decrypt => format!("decrypted {shown} into {path}"),
        };
        session.output.done(session.reporter, &done, &json!({"file": path.to_string(), "bytes": count}))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(
    envelope: &Envelope,
    direction: Direction,
    reader: File,
    writer: impl AsyncWrite + Unpin,
) -> Result<u64, EnvelopeError> {
    match direction {
        Direction::Encrypt => envelope.encrypt_stream(reader, writer).await,
        Direction::Decrypt => envelope.decrypt_stream(reader, writer).await,
    }
}

/// Prints what has been decrypted and verified to its end.
async fn print(session: &Session<'_>, content: Content, count: u64, force: bool) -> Result<(), Failure> {
    let file = match content {
        Content::Memory(value) => return session.output.exact(value.expose_secret(), force),
        Content::File(file) => file,
    };
    if output::is_terminal() {
        // Whoever reads it there does not have much of it.
        let mut value = SecretBytes::with_capacity(usize::try_from(count).unwrap_or_default());
        io::copy(&mut &file, &mut value).map_err(|error| output::unprintable(&error))?;
        return session.output.exact(value.expose_secret(), force);
    }
    let mut stdout = File::from_std(session.output.pipe(force)?);
    let copied = tokio::io::copy(&mut File::from_std(file), &mut stdout).await;
    copied.map(drop).map_err(|error| output::unprintable(&error))
}

fn rewrap(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = session.text("file").unwrap_or_default();
    let keys = Keys::of(session, false)?;
    let from: Vec<_> = session.words("from").map(str::to_owned).collect();
    let opens_any = session.is_set("any-key");
    if from.is_empty() && !opens_any {
        return Err(Failure::usage("no_key", "it is not said which key the file is under now")
            .cause("a file of unknown origin is not opened; nothing was sent")
            .hint("--from KEY, or --any-key for any that you may use"));
    }
    let connection = session.connect()?;
    let client = connection.client.clone();
    let progress = ProgressLine::new(session.reporter);
    let work = async {
        let mut envelope = told_of_progress(keys.envelope(session, &client).await?, progress);
        for key in &from {
            envelope = envelope.opening(&client, key_id(session, &client, key).await?);
        }
        let envelope = if opens_any { envelope.opening_any() } else { envelope };
        envelope.rewrap_file(name).await.map_err(|error| told(error, name))
    };
    let outcome = connection.until_interrupted(work);
    progress.end();
    outcome?;
    let done = format!("{name} is under {} now; the old file, wherever it still is, opens as before", keys.words());
    session.output.done(session.reporter, &done, &json!({"file": name}))?;
    Ok(ExitCode::SUCCESS)
}

fn calls_of_encrypt(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let keys = Keys::of(session, false)?.needs(&mut needs);
    for (index, key) in keys.iter().enumerate() {
        // The first makes the data key, the others protect it as well.
        needs.always(key, &[if index == 0 { CreateDatakey::INFO } else { EncryptDatakey::INFO }]);
    }
    Ok(needs)
}

fn calls_of_decrypt(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let any = session.is_set("any-key");
    let keys = Keys::of(session, any)?.needs(&mut needs);
    keys.iter().for_each(|key| needs.only("the file is under this key", key, &[DecryptDatakey::INFO]));
    if any {
        needs.always(&None, &[DecryptDatakey::INFO]);
    }
    Ok(needs)
}

fn calls_of_rewrap(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    for key in Keys::of(session, false)?.needs(&mut needs) {
        needs.always(&key, &[EncryptDatakey::INFO]);
        needs.only("the file is under this key", &key, &[DecryptDatakey::INFO]);
    }
    for word in session.words("from") {
        let key = needs.key(word);
        needs.only("the file is under this key", &key, &[DecryptDatakey::INFO]);
    }
    if session.is_set("any-key") {
        needs.always(&None, &[DecryptDatakey::INFO]);
    }
    Ok(needs)
}

/// Where to write: `None` is stdout.
fn target(session: &Session<'_>, name: &str, direction: Direction) -> Result<Option<PathBuf>, Failure> {
    if let Some(path) = session.matches.get_one::<PathBuf>("to-file") {
        return Ok((path != Path::new("-")).then(|| path.clone()));
    }
    let path = Path::new(name);
    match direction {
        _ if name == "-" => Ok(None),
        Direction::Encrypt => Ok(Some(path.with_added_extension(EXTENSION))),
        Direction::Decrypt if path.extension().is_some_and(|extension| extension == EXTENSION) => {
            Ok(Some(path.with_extension("")))
        }
        Direction::Decrypt => Err(Failure::usage("no_target", format!("there is no name for what is in {name}"))
            .cause(format!("only a name that ends in .{EXTENSION} tells one; nothing was sent"))
            .hint("--to-file PATH, or --to-file - to print it")),
    }
}

/// The keys and the context that the command line names.
struct Keys {
    here: Vec<String>,
    /// Region and key.
    elsewhere: Vec<(String, String)>,
    context: Vec<(String, String)>,
    opens_any: bool,
}

impl Keys {
    fn of(session: &Session<'_>, opens_any: bool) -> Result<Self, Failure> {
        let here: Vec<_> = session.words("key").map(str::to_owned).collect();
        let elsewhere = pairs(session, "region-key", "REGION=KEY")?;
        let context = pairs(session, "context", "NAME=VALUE")?;
        for (index, (name, _)) in context.iter().enumerate() {
            if context[..index].iter().any(|(other, _)| other == name) {
                return Err(Failure::usage("conflict", format!("--context: {name} is named twice"))
                    .cause("a name has one value; nothing was sent")
                    .hint("leave out one of them"));
            }
        }
        if here.is_empty() && elsewhere.is_empty() && !opens_any {
            let any = match session.matches.try_contains_id("any-key") {
                Ok(_) => ", or --any-key to open it under any that you may use",
                Err(_) => "",
            };
            return Err(Failure::usage("no_key", "no key is named")
                .cause("nothing was sent")
                .hint(format!("--key KEY{any}; `csms key list` shows the keys")));
        }
        Ok(Self { here, elsewhere, context, opens_any })
    }

    /// The keys, as far as they are known, and what finding them calls.
    fn needs(&self, needs: &mut Needs) -> Vec<Option<Resource>> {
        let here: Vec<_> = self.here.iter().map(|key| needs.key(key)).collect();
        let elsewhere = self.elsewhere.iter().map(|(region, key)| needs.key_in(Some(region), key));
        here.into_iter().chain(elsewhere).collect()
    }

    /// The envelope of these keys.
    async fn envelope(&self, session: &Session<'_>, client: &Client) -> Result<Envelope, Failure> {
        let mut named = Vec::new();
        for key in &self.here {
            named.push((client.clone(), key_id(session, client, key).await?));
        }
        for (region, key) in &self.elsewhere {
            let client = client.for_region(region)?;
            let id = key_id(session, &client, key).await?;
            named.push((client, id));
        }
        let mut named = named.into_iter();
        let envelope = match named.next() {
            Some((client, id)) => Envelope::new(&client, id),
            None => Envelope::decrypting(client),
        };
        let envelope = named.fold(envelope, |envelope, (client, id)| envelope.also(&client, id));
        let envelope = self.context.iter().fold(envelope, |envelope, (name, value)| envelope.context(name, value));
        Ok(if self.opens_any { envelope.opening_any() } else { envelope })
    }

    /// As the user has written them.
    fn words(&self) -> String {
        let elsewhere = self.elsewhere.iter().map(|(region, key)| format!("{key} in {region}"));
        self.here.iter().cloned().chain(elsewhere).collect::<Vec<_>>().join(" and ")
    }
}

async fn key_id(session: &Session<'_>, client: &Client, key: &str) -> Result<String, Failure> {
    subject::key_id(client, key).await.map_err(|failure| session.placed(subject::key_told(failure, key)))
}

/// The pairs that a flag is given.
fn pairs(session: &Session<'_>, flag: &str, form: &str) -> Result<Vec<(String, String)>, Failure> {
    let pair =
        |word| input::pair(&format!("--{flag}"), form, word).map(|(name, value)| (name.to_owned(), value.to_owned()));
    session.words(flag).map(pair).collect()
}

fn told_of_progress(envelope: Envelope, progress: ProgressLine) -> Envelope {
    let steps = AtomicU64::new(0);
    envelope.on_progress(move |bytes| {
        if steps.swap(bytes / STEP, Ordering::Relaxed) != bytes / STEP {
            progress.tell(&format!("{} MiB", bytes >> 20));
        }
    })
}

/// What went wrong with a file.
fn told(error: EnvelopeError, name: &str) -> Failure {
    let integrity =
        |what: String| Failure::new(Exit::Integrity, "integrity", what).cause("nothing of it was put in place");
    match error {
        EnvelopeError::Kms(error) => error.into(),
        EnvelopeError::Io(_, error) if error.kind() == io::ErrorKind::BrokenPipe => output::unprintable(&error),
        EnvelopeError::Io(doing, error) => {
            let exit = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied => Exit::Usage,
                _ => Exit::Unexpected,
            };
            Failure::new(exit, "io", format!("{name}: cannot {doing}"))
                .cause(format!("{error}; what was there is as it was"))
                .hint("check the path, and whether there is room")
        }
        EnvelopeError::NoKey(tried) => match tried.into_iter().next() {
            None => integrity(format!("{name} is under none of the keys that are named"))
                .hint("name its key with --key or --region-key, or use --any-key"),
            // The service took the key and refused the data key.
            Some((_, key, error)) if matches!(error.kind(), ErrorKind::Rejected | ErrorKind::InvalidInput) => {
                integrity(format!("{name}: {key} does not decrypt its data key: {}", error.message()))
                    .hint("take the file from a backup")
            }
            Some((region, key, error)) => {
                let failure = Failure::from(error);
                failure.renamed(format!("{name}: its key {key} in {region} cannot be used"))
            }
        },
        EnvelopeError::WrongContext => integrity(format!("{name} was encrypted with another context"))
            .hint("give all --context NAME=VALUE that it was encrypted with"),
        EnvelopeError::Foreign => {
            integrity(format!("{name} is no file that `csms encrypt` made")).hint("csms encrypt --help")
        }
        EnvelopeError::Newer { .. } | EnvelopeError::TooLarge(_) => {
            Failure::new(Exit::Usage, "format", format!("{name}: {error}"))
                .cause("nothing was written")
                .hint("csms --version")
        }
        error => integrity(format!("{name}: {error}")).hint("take the file from a backup"),
    }
}
