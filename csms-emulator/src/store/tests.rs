#![allow(clippy::unwrap_used)] // tests may panic

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::*;

type Records = BTreeMap<(String, String), Vec<u8>>;

/// A directory of its own for one test, removed afterwards.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("csms-store-{:016x}", u64::from_ne_bytes(seal::random().unwrap())));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Puts `bytes` in place of the data, with the key as it is.
    fn write(&self, bytes: &[u8]) {
        fs::write(self.data(), bytes).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set(key: impl Into<String>, value: impl Into<Vec<u8>>) -> Change {
    Change { table: "secrets", key: key.into(), value: Some(Zeroizing::new(value.into())) }
}

fn remove(key: impl Into<String>) -> Change {
    Change { table: "secrets", key: key.into(), value: None }
}

fn read(store: &Store) -> Result<Records, StoreError> {
    let mut records = Records::new();
    store.load(|record| {
        let name = (record.table.to_owned(), record.key.to_owned());
        assert!(records.insert(name, record.value.to_vec()).is_none(), "a record comes once");
        Ok(())
    })?;
    Ok(records)
}

fn reopen(path: &Path) -> Result<Records, StoreError> {
    read(&Store::open(path)?)
}

fn refusal(path: &Path) -> StoreError {
    let error = reopen(path).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    error
}

/// Values of every length from none to several pages, some of them overwritten and removed again.
fn fill(store: &Store) -> Records {
    for round in 0..3 {
        let changes: Vec<_> = (0..40).map(|n| set(format!("name-{n}"), vec![round; n * n * 5])).collect();
        store.commit(&changes).unwrap();
    }
    store.commit(&[remove("name-7")]).unwrap();
    // Small ones at the end, so that the file still holds a state without the last of them to fall back to.
    for n in 0..4 {
        store.commit(&[set("last", [n])]).unwrap();
    }
    let records = read(store).unwrap();
    assert_eq!(records.len(), 40);
    records
}

#[test]
fn what_is_committed_is_there_after_opening_again() {
    let directory = Directory::new();
    let store = Store::open(&directory.data()).unwrap();
    store.commit(&[set("b", "2"), set("a", "1"), set("", ""), set("c", "3")]).unwrap();
    store.commit(&[set("a", "one"), remove("c"), remove("never there")]).unwrap();
    let other = Change { table: "keys", key: "a".into(), value: Some(Zeroizing::new(vec![0, 255])) };
    store.commit(&[set("d", "4"), remove("d"), remove("b"), set("b", "two"), other]).unwrap();
    store.commit(&[]).unwrap();
    let expected: Records = [
        (("keys", "a"), &[0, 255][..]),
        (("secrets", ""), b""),
        (("secrets", "a"), b"one"),
        (("secrets", "b"), b"two"),
    ]
    .map(|((table, key), value)| ((table.to_owned(), key.to_owned()), value.to_vec()))
    .into();
    assert_eq!(read(&store).unwrap(), expected);
    drop(store);
    assert_eq!(reopen(&directory.data()).unwrap(), expected);
}

#[test]
fn a_reader_that_does_not_understand_a_record_names_it() {
    let directory = Directory::new();
    let store = Store::open(&directory.data()).unwrap();
    store.commit(&[set("a", "hidden")]).unwrap();
    let error = store.load(|_| Err("no such field".into())).unwrap_err();
    assert!(error.to_string().contains("(secrets \"a\": no such field)"), "{error}");
    assert!(!error.to_string().contains("hidden"));
}

#[test]
fn nothing_stands_in_the_clear() {
    let directory = Directory::new();
    let path = directory.data();
    let store = Store::open(&path).unwrap();
    let change = set("name-of-the-record", "value-of-the-record".repeat(500));
    assert!(!format!("{change:?}{store:?}").contains("value-of"));
    store.commit(&[change]).unwrap();
    store
        .load(|record| {
            assert!(!format!("{record:?}").contains("value-of"));
            Ok(())
        })
        .unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let key = fs::read_to_string(path.with_added_extension("key")).unwrap();
    let raw = hex::decode(key.trim_end()).unwrap();
    for text in [b"name-of", b"value-of".as_slice(), b"secrets", &key.as_bytes()[..16], &raw[..8]] {
        assert!(!bytes.windows(text.len()).any(|window| window == text), "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn sealed_values_open_only_in_their_place() {
    let sealer = Sealer::new(&[7; 32].into());
    let (here, there) = (sealer.place(b"here"), sealer.place(b"there"));
    let mut sealed = sealer.seal(&here, &[b"va", b"lue"]).unwrap();
    assert_eq!(sealer.open(&here, &sealed).unwrap().as_slice(), b"value");
    assert_ne!(sealed, sealer.seal(&here, &[b"value"]).unwrap(), "the nonce is new each time");
    assert!(sealer.open(&there, &sealed).is_none());
    assert!(Sealer::new(&[8; 32].into()).open(&here, &sealed).is_none());
    assert!(sealer.open(&here, &sealed[..20]).is_none());
    sealed[15] ^= 1;
    assert!(sealer.open(&here, &sealed).is_none());
    assert_ne!(pack_name("a", "bc"), pack_name("ab", "c"));
}

#[test]
fn swapped_records_are_refused() {
    let directory = Directory::new();
    let path = directory.data();
    let store = Store::open(&path).unwrap();
    store.commit(&[set("a", "1"), set("b", "2")]).unwrap();
    drop(store);
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut records = write.open_table(RECORDS).unwrap();
        let all: Vec<_> = records
            .iter()
            .unwrap()
            .map(|entry| entry.map(|(place, sealed)| (*place.value(), sealed.value().to_vec())).unwrap())
            .collect();
        records.insert(&all[0].0, all[1].1.as_slice()).unwrap();
        records.insert(&all[1].0, all[0].1.as_slice()).unwrap();
    }
    write.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&path).problem(), Problem::Damaged(_)));
}

#[test]
fn the_key_must_be_the_right_one_and_private() {
    let directory = Directory::new();
    let path = directory.data();
    let key = path.with_added_extension("key");
    let store = Store::open(&path).unwrap();
    let records = fill(&store);
    drop(store);
    let right = fs::read_to_string(&key).unwrap();

    fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    assert!(matches!(refusal(&path).problem(), Problem::WrongKey));
    for bad in ["", "\n", "ab", &"zz".repeat(32), &right[1..], &format!("{right}\n")] {
        fs::write(&key, bad).unwrap();
        assert!(matches!(refusal(&path).problem(), Problem::BadKey), "{bad:?}");
    }
    fs::remove_file(&key).unwrap();
    assert!(matches!(refusal(&path).problem(), Problem::NoKey));
    assert!(!key.exists(), "no new key for old data");

    fs::write(&key, right.trim_end()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for mode in [0o644, 0o640, 0o604, 0o660] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(refusal(&path).problem(), Problem::OpenKey { mode: found } if *found == mode));
        }
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(reopen(&path).unwrap(), records, "nothing of this harmed the data");
}

#[cfg(unix)]
#[test]
fn new_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    drop(Store::open(&directory.data()).unwrap());
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory.0).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    names.sort();
    assert_eq!(names, ["data", "data.key"]);
}

#[test]
fn an_interrupted_creation_is_taken_up_again() {
    let directory = Directory::new();
    let path = directory.data();
    let mut options = OpenOptions::new();
    key::private(&mut options);
    options.write(true).create(true).open(path.with_added_extension("key")).unwrap();
    fs::write(path.with_added_extension("new"), "half a file").unwrap();
    assert_eq!(reopen(&path).unwrap(), Records::new());
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let directory = Directory::new();
    let path = directory.data();
    for text in ["", "redb", "Some notes of mine.\n", &"Many notes of mine.\n".repeat(1000)] {
        directory.write(text.as_bytes());
        for key_exists in [false, true] {
            let key = path.with_added_extension("key");
            if key_exists {
                let mut options = OpenOptions::new();
                key::private(&mut options);
                let mut file = options.write(true).create(true).open(&key).unwrap();
                file.write_all("ab".repeat(32).as_bytes()).unwrap();
            }
            let error = refusal(&path);
            assert!(
                matches!(error.problem(), Problem::Damaged(_))
                    || (!key_exists && matches!(error.problem(), Problem::NoKey)),
                "{error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(key.exists(), key_exists);
            let _ = fs::remove_file(key);
        }
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refusal(&path).problem(), Problem::NotAFile));
    let nowhere = directory.0.join("missing").join("data");
    assert!(matches!(Store::open(&nowhere).unwrap_err().problem(), Problem::Io { .. }));
}

#[test]
fn data_of_another_program_is_refused() {
    let directory = Directory::new();
    let path = directory.data();
    drop(Store::open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let database = Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(TableDefinition::<u64, u64>::new("theirs")).unwrap();
    write.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&path).problem(), Problem::Damaged(_)));
}

#[cfg(unix)]
#[test]
fn a_directory_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(directory.0.join("probe"), "").is_ok() {
        return; // the superuser may write anywhere
    }
    let error = refusal(&directory.data());
    assert!(matches!(error.problem(), Problem::Io { .. }), "{error}");
}

#[test]
fn a_later_format_is_refused() {
    let directory = Directory::new();
    let path = directory.data();
    drop(Store::open(&path).unwrap());
    let database = Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(ABOUT).unwrap().insert("format", 2_u32.to_le_bytes().as_slice()).unwrap();
    write.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&path).problem(), Problem::Newer { found: 2 }));
}

#[test]
fn a_file_is_open_once() {
    let directory = Directory::new();
    let path = directory.data();
    let store = Store::open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error.problem(), Problem::InUse), "{error}");
    // Were the key's lock gone, redb's own would still hold.
    assert!(matches!(Database::open(&path), Err(redb::DatabaseError::DatabaseAlreadyOpen)));
    store.commit(&[set("a", "1")]).unwrap();
    drop(store);
    assert_eq!(reopen(&path).unwrap().len(), 1);
}

/// The data as a kill would leave it, and as an orderly end leaves it, with the records in it.
fn left_behind(directory: &Directory) -> ([Vec<u8>; 2], Records) {
    let store = Store::open(&directory.data()).unwrap();
    let records = fill(&store);
    let killed = fs::read(directory.data()).unwrap();
    drop(store);
    ([killed, fs::read(directory.data()).unwrap()], records)
}

/// Opening `bytes` yields every record or is refused, and refused again.
fn all_or_refused(directory: &Directory, bytes: &[u8], records: &Records, what: &str) -> bool {
    directory.write(bytes);
    let path = directory.data();
    match reopen(&path) {
        Ok(found) => {
            assert!(found == *records, "{what}: {} records", found.len());
            assert!(reopen(&path).unwrap() == *records, "{what}, the second time");
            true
        }
        Err(error) => {
            assert!(matches!(error.problem(), Problem::Damaged(_) | Problem::Newer { .. }), "{what}: {error}");
            if let Ok(found) = reopen(&path) {
                assert!(found == *records, "{what}, tried again: {} records", found.len());
            }
            false
        }
    }
}

#[test]
fn damaged_bytes_are_noticed() {
    damage(13);
}

#[test]
#[ignore = "takes minutes"]
fn damaged_bytes_are_noticed_anywhere() {
    damage(1);
}

/// Damages every `step`th place of those worth it, one at a time.
fn damage(step: usize) {
    let directory = Directory::new();
    let (files, records) = left_behind(&directory);
    let (mut read, mut refused) = (0, 0);
    for (kind, file) in ["killed", "closed"].iter().zip(files) {
        assert!(all_or_refused(&directory, &file, &records, kind));
        let pages: Vec<_> =
            (4096..file.len()).step_by(4096).filter(|at| file[*at..at + 4096].iter().any(|byte| *byte != 0)).collect();
        // The flags, which no checksum covers; the rest of the header; here and there in the pages in use.
        let flags = (0..8).map(|bit| (9, 1 << bit));
        let header = (0..320).map(|at| (at, 0xff));
        let inside = pages.iter().flat_map(|page| [0, 5, 40, 1500, 4095].map(|offset| (page + offset, 0x10)));
        for (at, flip) in flags.chain(header.chain(inside).step_by(step)) {
            let mut damaged = file.clone();
            damaged[at] ^= flip;
            match all_or_refused(&directory, &damaged, &records, &format!("{kind}, byte {at} ^ {flip:#04x}")) {
                true => read += 1,
                false => refused += 1,
            }
        }
        for page in pages.into_iter().step_by(step) {
            let mut damaged = file.clone();
            damaged[page..page + 4096].fill(0);
            all_or_refused(&directory, &damaged, &records, &format!("{kind}, no page {page}"));
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn a_truncated_file_is_noticed() {
    let directory = Directory::new();
    let (files, records) = left_behind(&directory);
    for (kind, file) in ["killed", "closed"].iter().zip(files) {
        let lengths = [0, 1, 8, 9, 64, 319, 320, 4095, 4096, 4097, file.len() - 1];
        for length in lengths.into_iter().chain((8192..file.len()).step_by(102_400)) {
            all_or_refused(&directory, &file[..length], &records, &format!("{kind}, {length} bytes"));
        }
        let longer = [file.as_slice(), &[0; 4096]].concat();
        all_or_refused(&directory, &longer, &records, &format!("{kind}, longer"));
    }
}

/// Set where this test binary runs as the process to be killed.
const VICTIM: &str = "CSMS_STORE_VICTIM";

/// Writes batch after batch and prints the number of each once it is acknowledged; each also removes an older one.
#[test]
#[ignore = "runs as the process that `acknowledged_writes_survive_a_kill` kills"]
fn victim() {
    let Some(path) = env::var_os(VICTIM) else { return };
    let store = Store::open(Path::new(&path)).unwrap();
    let next = batches(&read(&store).unwrap()).last().map_or(0, |last| last + 1);
    for number in next.. {
        let mut changes: Vec<_> =
            (0..3).map(|n| set(format!("{number}/{n}"), vec![n; usize::from(n) * 3000])).collect();
        if let Some(old) = number.checked_sub(20) {
            changes.extend((0..3).map(|n| remove(format!("{old}/{n}"))));
        }
        store.commit(&changes).unwrap();
        writeln!(std::io::stdout(), "acknowledged {number}").unwrap();
    }
}

/// The batches in the store, each whole, one after the other and no more than are kept.
fn batches(records: &Records) -> Vec<u64> {
    let mut parts = BTreeMap::<u64, u8>::new();
    for ((_, key), value) in records {
        let (number, n) = key.split_once('/').unwrap();
        let n: u8 = n.parse().unwrap();
        assert_eq!(*value, vec![n; usize::from(n) * 3000]);
        *parts.entry(number.parse().unwrap()).or_default() += 1;
    }
    assert!(parts.values().all(|count| *count == 3), "{parts:?}");
    let numbers: Vec<_> = parts.into_keys().collect();
    assert!(numbers.len() <= 20 && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    numbers
}

#[test]
fn acknowledged_writes_survive_a_kill() {
    let directory = Directory::new();
    let path = directory.data();
    let mut acknowledged = None;
    for round in 0..10 {
        let mut victim = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "store::tests::victim", "--nocapture"])
            .env(VICTIM, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = victim.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok()).last()
        });
        // Short enough to hit the opening at times, long enough to hit the writing mostly.
        let [a, b] = seal::random().unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(u16::from_ne_bytes([a, b])) * 8));
        victim.kill().unwrap();
        victim.wait().unwrap();
        acknowledged = reader.join().unwrap().or(acknowledged);
        let found = batches(&reopen(&path).unwrap()).last().copied();
        assert!(found >= acknowledged, "round {round}: {acknowledged:?} acknowledged, {found:?} found");
        acknowledged = found;
    }
    assert!(acknowledged > Some(10), "{acknowledged:?}: the kills came too early to prove anything");
}

/// Run with `cargo test -p csms-emulator store::tests::speed -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn speed() {
    let directory = Directory::new();
    let store = Store::open(&directory.data()).unwrap();
    let rate = |changes: usize| {
        let begin = Instant::now();
        let mut commits = 0;
        while begin.elapsed() < Duration::from_secs(3) {
            let batch: Vec<_> = (0..changes).map(|n| set(format!("{}", (commits * 7 + n) % 1000), [1; 300])).collect();
            store.commit(&batch).unwrap();
            commits += 1;
        }
        f64::from(u32::try_from(commits).unwrap()) / begin.elapsed().as_secs_f64()
    };
    let mut out = std::io::stdout();
    for changes in [1, 10, 100] {
        writeln!(out, "{changes} changes: {:.0} commits per second", rate(changes)).unwrap();
    }
    drop(store);
    let begin = Instant::now();
    let count = reopen(&directory.data()).unwrap().len();
    writeln!(out, "opening and reading {count} records: {:?}", begin.elapsed()).unwrap();
}
