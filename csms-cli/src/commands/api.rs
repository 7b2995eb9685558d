//! `csms api`: every operation of the services, straight from the SDK's registry.

pub(crate) mod dry_run;
mod skeleton;

use clap::{Arg, ArgAction, ArgMatches, Command};
use csms_sdk::{
    Client, OperationInfo, SecretJson, Service,
    check::nearest,
    keys,
    operation::Auth,
    operations,
    page::{self, JsonPages},
};
use serde_json::{Map, Value as Json, json};

use crate::{
    config::Config,
    error::{Failure, Reporter},
    input::Sources,
    needs::Needs,
    output::{self, Format, Output},
    params,
    session::Session,
    settings, text,
};

/// The services as the command line groups them, and whose operations they hold.
const SERVICES: [(&str, &str, &[Service]); 3] = [
    ("csms", "Secrets", &[Service::Csms]),
    ("kms", "Keys", &[Service::Kms]),
    ("iam", "Tokens, temporary keys, projects; STS included", &[Service::Iam, Service::Sts]),
];

/// The operations of a service of the command line.
pub(crate) fn operations_of(service: &str) -> impl Iterator<Item = &'static OperationInfo> {
    let services: &[Service] = match service {
        "sts" => &[Service::Sts],
        _ => SERVICES.iter().find(|(name, ..)| *name == service).map_or(&[], |(_, _, services)| services),
    };
    operations().filter(|info| services.contains(&info.service))
}

/// The service under which the command line has an operation.
pub(crate) fn service_of(info: &OperationInfo) -> &'static str {
    if info.service == Service::Sts { "iam" } else { info.service.as_str() }
}

/// The grammar of `api`. An operation that `words` name is the only one of its service and has flags; without one,
/// all are there by name only.
pub(crate) fn command(words: &[String]) -> Command {
    let command = Command::new("api")
        .about("Calls any operation of the services by its name")
        .after_help(
            "`csms api --list` lists the operations, `csms api csms CreateSecret --help` shows the parameters of one, \
             `csms explain CreateSecret` all about it.",
        )
        .arg(
            Arg::new("list")
                .long("list")
                .value_name("SERVICE")
                .num_args(0..=1)
                .default_missing_value("")
                .help("List the operations, or those of one service"),
        )
        .disable_help_subcommand(true)
        .subcommand_value_name("SERVICE")
        .subcommand_help_heading("Services")
        .subcommand_required(true);
    // `--list` stands instead of a service.
    let command = if words.iter().any(|word| word == "--list" || word.starts_with("--list=")) {
        command.subcommand_required(false)
    } else {
        command
    };
    if !words.iter().any(|word| word == "api") {
        return command;
    }
    command.subcommands(SERVICES.iter().map(|(name, about, _)| service_command(name, about, words)))
}

fn service_command(name: &'static str, about: &'static str, words: &[String]) -> Command {
    let command = Command::new(name).about(about).disable_help_subcommand(true).subcommand_required(true);
    let command = if name == "iam" { command.alias("sts") } else { command };
    if !words.iter().any(|word| word == name || (name == "iam" && word == "sts")) {
        return command;
    }
    let named: Vec<_> = operations_of(name)
        .filter_map(|info| Some((info, words.iter().find(|word| is_name_of(info, word))?)))
        .collect();
    match named.is_empty() {
        true => command
            .subcommand_value_name("OPERATION")
            .subcommand_help_heading("Operations")
            .subcommands(operations_of(name).map(|info| Command::new(info.name).about(text::plain(&info.summary())))),
        false => command.subcommands(named.into_iter().map(|(info, word)| operation_command(info, word, words))),
    }
}

/// Whether a word is an operation's name as the reference writes it or in kebab case, in any case of letters.
pub(crate) fn is_name_of(info: &OperationInfo, word: &str) -> bool {
    let letters = word.bytes().filter(|byte| *byte != b'-');
    !word.starts_with('-')
        && letters.map(|byte| byte.to_ascii_lowercase()).eq(info.name.bytes().map(|byte| byte.to_ascii_lowercase()))
}

fn operation_command(info: &'static OperationInfo, word: &str, words: &[String]) -> Command {
    let mut about = text::plain(info.request.docs);
    about.push_str(&format!("\n\n{} {}", info.method.as_str(), info.path));
    if let Some(permission) = info.permission {
        about.push_str(&format!(" · permission {permission}"));
    }
    let own = own_flags(info);
    let mut command = params::add_flags(Command::new(info.name).about(about), info, words, &own).args(own);
    if word != info.name {
        command = command.alias(word.to_owned());
    }
    command
}

/// The flags that are no parameters.
pub(crate) fn own_flags(info: &OperationInfo) -> Vec<Arg> {
    let arg = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).help_heading("Request and answer")
    };
    let flag = |name, help| arg(name, help).action(ArgAction::SetTrue);
    let mut own = vec![
        arg("input", "The whole request as one JSON object by wire names, `-` for stdin; flags override its members")
            .value_name("FILE"),
        flag("skeleton", "Print a request to fill in, and send nothing"),
        flag("dry-run", "Print the request without credentials and secrets, and send nothing"),
        flag("show-permissions", "Print the permissions that the operation needs, and send nothing"),
        flag("no-validate", "Send what the checks here would refuse, unknown members of --input included"),
        flag("allow-argv-secrets", "Take secrets from the command line, which other programs can see"),
        flag("allow-empty", "Take empty secrets"),
        flag("verbatim", "Keep the newline of a secret that is one line of stdin"),
    ];
    if info.paging.is_some() {
        own.push(flag(
            "no-paginate",
            "Fetch one page; otherwise all are fetched and make one answer: the last page with the items of all",
        ));
        own.push(
            arg("max-items", "Fetch no more pages than this many items need, and print no more items")
                .value_name("NUMBER")
                .value_parser(clap::value_parser!(u32).range(1..)),
        );
    }
    own
}

/// Runs `api`.
pub(crate) fn run(matches: &ArgMatches, reporter: &Reporter) -> Result<(), Failure> {
    if let Some(service) = matches.get_one::<String>("list") {
        return list(service, &Output::of(matches, &*Config::load()?)?);
    }
    match named(matches) {
        Some((info, matches)) => operate(info, &Session::of(matches, reporter)?),
        None => Err(Failure::usage("missing_command", "an operation is missing").hint("csms api --list")),
    }
}

/// The operation that is named.
fn named(matches: &ArgMatches) -> Option<(&'static OperationInfo, &ArgMatches)> {
    let (service, matches) = matches.subcommand()?;
    let (name, matches) = matches.subcommand()?;
    Some((operations_of(service).find(|info| info.name == name)?, matches))
}

/// What `api` may call.
pub(crate) fn calls(matches: &ArgMatches, reporter: &Reporter) -> Result<Needs, Failure> {
    let Some((info, matches)) = named(matches) else { return Ok(Needs::none()) };
    let mut needs = Needs::of(&Session::of(matches, reporter)?);
    if ["show-permissions", "skeleton", "dry-run"].iter().any(|flag| matches.get_flag(flag)) {
        return Ok(needs);
    }
    let name = params::given(matches, "secret_name");
    let name = name.or(params::given(matches, "name").filter(|_| info.service == Service::Csms));
    let on = match (name, params::given(matches, "key_id")) {
        (Some(name), _) => needs.secret(name),
        (None, Some(key)) if keys::is_id(key) => needs.key(key),
        (None, _) => None,
    };
    needs.always(&on, &[info]);
    Ok(needs)
}

/// A word in the place of a service.
pub(crate) fn unknown_service(word: &str) -> Failure {
    let known = ["csms", "kms", "iam", "sts"];
    let hint = match nearest(word, known) {
        Some(near) => format!("did you mean `csms api {near}`?"),
        None => match operations().find(|info| is_name_of(info, word)) {
            Some(info) => format!("csms api {} {}", service_of(info), info.name),
            None => "csms api --list".to_owned(),
        },
    };
    Failure::usage("unknown_service", format!("`{word}` is not a service"))
        .cause("the services are: csms, kms, iam, sts")
        .hint(hint)
}

/// A word in the place of an operation.
pub(crate) fn unknown_operation(service: &str, word: &str) -> Failure {
    let elsewhere = operations().find(|info| is_name_of(info, word));
    let near = || {
        let joined = word.replace('-', "");
        nearest(&joined, operations_of(service).map(|info| info.name))
    };
    let hint = match elsewhere {
        Some(info) => format!("it is in {0}: csms api {0} {1}", service_of(info), info.name),
        None => match near() {
            Some(near) => format!("did you mean {near}?"),
            None => format!("csms api --list {service}"),
        },
    };
    Failure::usage("unknown_operation", format!("`{word}` is not an operation of {service}"))
        .cause(format!("{service} has {} operations; nothing was sent", operations_of(service).count()))
        .hint(hint)
}

fn list(service: &str, out: &Output) -> Result<(), Failure> {
    if !service.is_empty() && operations_of(service).next().is_none() {
        return Err(unknown_service(service));
    }
    let all: Vec<_> = match service {
        "" => operations().collect(),
        service => operations_of(service).collect(),
    };
    let rows: Vec<_> = all
        .iter()
        .map(|info| vec![info.service.to_string(), info.name.to_owned(), text::plain(&info.summary())])
        .collect();
    let json = all.iter().map(|info| {
        json!({"service": info.service.as_str(), "name": info.name, "method": info.method.as_str(), "path": info.path,
            "permission": info.permission, "summary": text::plain(&info.summary())})
    });
    out.rows(&["SERVICE", "OPERATION", "SUMMARY"], &rows, output::width(), &json.collect())
}

fn operate(info: &'static OperationInfo, session: &Session<'_>) -> Result<(), Failure> {
    let Session { matches, reporter, settings, output, .. } = session;
    let is_set = |flag| session.is_set(flag);
    if is_set("show-permissions") {
        return show_permissions(info, output, reporter);
    }
    if is_set("skeleton") {
        return output.form(&skeleton::request(info));
    }

    let mut sources = Sources::new(reporter, is_set("allow-argv-secrets"), is_set("allow-empty"), is_set("verbatim"));
    let request = params::request(info, matches, &mut sources)?;
    let validate = !is_set("no-validate");
    if is_set("dry-run") {
        return output.json(&dry_run::request(info, &request, settings, validate)?);
    }

    let connection = session.connect()?;
    let client = connection.client.with_options(settings::call_options(validate));
    let answer = connection.block_on(async {
        if settings.is_verbose() && info.auth == Auth::Credentials {
            reporter.note(&format!("credentials: {}", client.credentials().await?.origin));
        }
        match pages(&client, info, &request, matches) {
            Some((pages, most)) => merge(info, pages, most).await,
            None => Ok(client.send_json(info, members(&request)).await?.into_body()),
        }
    })?;
    if answer.expose_secret().is_null() {
        if output.format != Format::None {
            reporter.note(&format!("{}: done", info.name));
        }
        return match output.format {
            Format::Raw | Format::Tsv => Ok(()),
            _ => output.json(&json!({})),
        };
    }
    // What can be asked again is.
    let told = || (!info.idempotent).then(|| session.shown(info, answer.clone()).expose_secret().clone());
    output.answer(answer.expose_secret(), told)
}

fn members(request: &SecretJson) -> &Map<String, Json> {
    static NONE: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
    request.expose_secret().as_object().unwrap_or(&NONE)
}

fn show_permissions(info: &OperationInfo, out: &Output, reporter: &Reporter) -> Result<(), Failure> {
    if info.permission.is_none() {
        reporter.note(&format!("{}: no permission is published", info.name));
    }
    let rows: Vec<_> = info.permission.iter().map(|permission| vec![(*permission).to_owned()]).collect();
    out.rows(&["PERMISSION"], &rows, output::width(), &info.permission.iter().copied().collect())
}

/// The pages of a list, and the most items that are wanted of them; `None` where there are no pages, or one is wanted.
fn pages(
    client: &Client,
    info: &'static OperationInfo,
    request: &SecretJson,
    matches: &ArgMatches,
) -> Option<(JsonPages, usize)> {
    let pages = client.json_pages(info, members(request).clone())?;
    let most = matches.get_one::<u32>("max-items").map(|most| *most as usize);
    if matches.get_flag("no-paginate") && most.is_none() {
        return None;
    }
    let most = most.unwrap_or(usize::MAX);
    Some((pages.max_items(most), most))
}

/// Fetches all pages and makes one answer of them.
async fn merge(info: &'static OperationInfo, mut pages: JsonPages, most: usize) -> Result<SecretJson, Failure> {
    let mut merged = Merged::new(info, most);
    while let Some(answer) = pages.next().await {
        merged.add(answer?.into_body());
    }
    Ok(merged.into_answer())
}

/// All pages of a list as one answer: the last page, with the items of all.
pub(crate) struct Merged {
    info: &'static OperationInfo,
    most: usize,
    items: Vec<Json>,
    last: SecretJson,
}

impl Merged {
    /// Of at most so many items.
    pub(crate) fn new(info: &'static OperationInfo, most: usize) -> Self {
        Self { info, most, items: Vec::new(), last: SecretJson::default() }
    }

    pub(crate) fn add(&mut self, page: SecretJson) {
        self.items.extend_from_slice(page::items(self.info, page.expose_secret()));
        self.last = page;
    }

    pub(crate) fn into_answer(self) -> SecretJson {
        let Self { info, most, mut items, last } = self;
        items.truncate(most);
        let mut answer = last.expose_secret().clone();
        // Where the answer has its list.
        let path = info.paging.map_or("", csms_sdk::operation::Paging::items);
        let list = path.split('.').try_fold(&mut answer, |json, name| json.get_mut(name));
        if let Some(list @ Json::Array(_)) = list {
            *list = Json::Array(items);
        }
        answer.into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn operations_are_known_by_both_spellings() {
        let info = csms_sdk::operation(Service::Csms, "CreateSecret").unwrap();
        for word in ["CreateSecret", "create-secret", "createsecret", "CREATE-SECRET"] {
            assert!(is_name_of(info, word), "{word}");
        }
        for word in ["CreateSecrets", "--create-secret", "create_secret", ""] {
            assert!(!is_name_of(info, word), "{word}");
        }
    }

    #[test]
    fn every_operation_has_its_place() {
        assert_eq!(SERVICES.iter().flat_map(|(name, ..)| operations_of(name)).count(), operations().count());
        assert_eq!(operations_of("sts").count(), 3);
    }

    #[test]
    fn the_grammar_is_sound_for_every_operation() {
        for info in operations() {
            let words = ["csms", "api", service_of(info), info.name].map(str::to_owned);
            crate::cli::command(&words).debug_assert();
        }
        crate::cli::command(&["csms".to_owned(), "api".to_owned()]).debug_assert();
    }
}
