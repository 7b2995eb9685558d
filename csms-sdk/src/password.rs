//! Passwords that nobody can guess, made here or by the service, by the same rules.
//!
//! ```
//! use csms_sdk::password::Password;
//!
//! let password = Password::new().length(24).exclude_ambiguous().require_each().generate()?;
//! assert_eq!(password.expose_secret().len(), 24);
//! # Ok::<_, csms_sdk::Error>(())
//! ```
//!
//! Both are good for a secret; [`generate`](Password::generate) needs no network, and how it draws is known.
//! [`by_service`](Password::by_service) is for those who have to take their randomness from there.

use std::str::FromStr;

use zeroize::Zeroizing;

use crate::{
    Client,
    csms::GenerateRandomPassword,
    error::{Error, ErrorKind},
    secret::SecretString,
};

/// Characters that are taken for each other when they are read or typed.
pub const AMBIGUOUS: &str = "0O1lI|";

/// Most characters that the service makes.
const LONGEST: u8 = 255;

const WORDS: &str = "is made of a length from 1 to 255, no-lowercase, no-uppercase, no-numbers, no-punctuation, \
                     no-ambiguous, space and each, with commas between them";

const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const SPACE: &str = " ";

/// What a password is made of.
///
/// Unless told otherwise: 32 characters, of the lower-case and upper-case letters, the digits and the punctuation of ASCII.
/// These and the blank are the five classes. A class of which every character is excluded is no class.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is made before `generate` or `by_service`"]
pub struct Password {
    length: u8,
    lowercase: bool,
    uppercase: bool,
    numbers: bool,
    punctuation: bool,
    space: bool,
    excluded: String,
    each: bool,
}

impl Default for Password {
    fn default() -> Self {
        Self {
            length: 32,
            lowercase: true,
            uppercase: true,
            numbers: true,
            punctuation: true,
            space: false,
            excluded: String::new(),
            each: false,
        }
    }
}

/// Reads rules as people write them: words with commas between them, none of them for the default.
///
/// | word | |
/// | --- | --- |
/// | `24` | [length](Password::length) |
/// | `no-lowercase`, `no-uppercase`, `no-numbers`, `no-punctuation` | leaves a class out |
/// | `no-ambiguous` | leaves out the [`AMBIGUOUS`] characters |
/// | `space` | allows the blank |
/// | `each` | every class has to occur |
///
/// ```
/// use csms_sdk::password::Password;
///
/// let rules: Password = "24,no-punctuation,each".parse()?;
/// assert_eq!(rules, Password::new().length(24).without_punctuation().require_each());
/// # Ok::<_, csms_sdk::Error>(())
/// ```
impl FromStr for Password {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let rules = words.into_iter().try_fold(Self::new(), |rules, word| {
            Ok(match word {
                "no-lowercase" => rules.without_lowercase(),
                "no-uppercase" => rules.without_uppercase(),
                "no-numbers" => rules.without_numbers(),
                "no-punctuation" => rules.without_punctuation(),
                "no-ambiguous" => rules.exclude_ambiguous(),
                "space" => rules.with_space(),
                "each" => rules.require_each(),
                length => match length.parse() {
                    Ok(length) => rules.length(length),
                    // A password in the wrong place must not be repeated.
                    Err(_) => return Err(Error::invalid("policy", WORDS)),
                },
            })
        })?;
        rules.classes()?;
        Ok(rules)
    }
}

impl Password {
    /// 32 letters, digits and punctuation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of characters, 1 to 255; default 32.
    pub fn length(mut self, length: u8) -> Self {
        self.length = length;
        self
    }

    /// Leaves out lower-case letters.
    pub fn without_lowercase(mut self) -> Self {
        self.lowercase = false;
        self
    }

    /// Leaves out upper-case letters.
    pub fn without_uppercase(mut self) -> Self {
        self.uppercase = false;
        self
    }

    /// Leaves out digits.
    pub fn without_numbers(mut self) -> Self {
        self.numbers = false;
        self
    }

    /// Leaves out punctuation.
    pub fn without_punctuation(mut self) -> Self {
        self.punctuation = false;
        self
    }

    /// Allows the blank.
    pub fn with_space(mut self) -> Self {
        self.space = true;
        self
    }

    /// Leaves out each of these characters, and those named before.
    pub fn exclude(mut self, characters: &str) -> Self {
        self.excluded.push_str(characters);
        self
    }

    /// Leaves out the [`AMBIGUOUS`] characters.
    pub fn exclude_ambiguous(self) -> Self {
        self.exclude(AMBIGUOUS)
    }

    /// Every class has to occur. Makes a password a little easier to guess; some systems demand it.
    pub fn require_each(mut self) -> Self {
        self.each = true;
        self
    }

    /// Makes one here, with the randomness of the operating system. Every password that these rules allow is as likely as
    /// any other.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when no password can be made by these rules; [`Error::field`] names the one.
    /// [`ErrorKind::Configuration`] when the system gives no randomness.
    pub fn generate(&self) -> Result<SecretString, Error> {
        let classes = self.classes()?;
        let alphabet = classes.concat();
        let length = usize::from(self.length);
        let mut random = Random::new();
        let mut password = Zeroizing::new(String::with_capacity(length));
        // Drawn anew, not mended, until it fits: that alone keeps all of them equally likely. With a length of five and
        // five classes, all but two of few characters, it takes some thousand goes; mostly one or two.
        loop {
            password.clear();
            for _ in 0..length {
                password.push(alphabet[random.below(alphabet.len())?]);
            }
            if !self.each || classes.iter().all(|class| password.contains(class.as_slice())) {
                return Ok(std::mem::take(&mut *password).into());
            }
        }
    }

    /// Has the service make one, through [`GenerateRandomPassword`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] as in [`generate`](Self::generate), before anything is sent; those of a call.
    pub async fn by_service(&self, client: &Client) -> Result<SecretString, Error> {
        self.classes()?;
        let mut request = GenerateRandomPassword::new();
        request.length = Some(self.length.into());
        request.exclude_lowercase = Some(!self.lowercase);
        request.exclude_uppercase = Some(!self.uppercase);
        request.exclude_numbers = Some(!self.numbers);
        request.exclude_punctuation = Some(!self.punctuation);
        request.exclude_characters = (!self.excluded.is_empty()).then(|| self.excluded.clone());
        request.include_space = Some(self.space);
        request.require_each_included_type = Some(self.each);
        let answer = request.send(client).await?;
        answer.into_body().password.ok_or_else(|| {
            Error::new(ErrorKind::UnexpectedAnswer, "the answer to GenerateRandomPassword has no password")
        })
    }

    /// How hard a password of [`generate`](Self::generate) is to guess, in bits: the logarithm to base 2 of how many
    /// different ones there can be, all of them equally likely. [`require_each`](Self::require_each) is accounted for.
    ///
    /// It says nothing about passwords of the service, whose way to draw is not documented.
    ///
    /// ```
    /// use csms_sdk::password::Password;
    ///
    /// assert_eq!(Password::new().entropy_bits()?.round(), 210.0);
    /// let pin = Password::new().without_lowercase().without_uppercase().without_punctuation().length(4);
    /// assert!((pin.entropy_bits()? - 10_000_f64.log2()).abs() < 1e-9);
    /// # Ok::<_, csms_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] as in [`generate`](Self::generate).
    pub fn entropy_bits(&self) -> Result<f64, Error> {
        let sizes: Vec<_> = self.classes()?.iter().map(|class| class.len() as f64).collect();
        let all: f64 = sizes.iter().sum();
        let bits = f64::from(self.length) * all.log2();
        Ok(if self.each { bits + share_with_each(&sizes, all, self.length.into()).log2() } else { bits })
    }

    /// The characters of each class, or what makes a password impossible.
    fn classes(&self) -> Result<Vec<Vec<char>>, Error> {
        let classes = [
            (self.lowercase, LOWERCASE),
            (self.uppercase, UPPERCASE),
            (self.numbers, NUMBERS),
            (self.punctuation, PUNCTUATION),
            (self.space, SPACE),
        ];
        let included = classes.into_iter().filter(|(included, _)| *included);
        let left = |characters: &str| characters.chars().filter(|it| !self.excluded.contains(*it)).collect();
        let classes: Vec<Vec<_>> = included.map(|(_, characters)| left(characters)).collect();
        let classes: Vec<_> = classes.into_iter().filter(|class| !class.is_empty()).collect();
        if self.length == 0 {
            return Err(Error::invalid("length", format!("has to be from 1 to {LONGEST}")));
        }
        if classes.is_empty() {
            return Err(Error::invalid("exclude_characters", "leaves no character to make a password of"));
        }
        if self.each && classes.len() > usize::from(self.length) {
            let problem = format!("is too short for one character of each of {} classes", classes.len());
            return Err(Error::invalid("length", problem));
        }
        Ok(classes)
    }
}

/// The share of passwords in which every class occurs, by inclusion and exclusion: less those in which one class does not
/// occur, and those with two that were taken away twice, and so on.
fn share_with_each(sizes: &[f64], all: f64, length: i32) -> f64 {
    let sets = 0..1_u32 << sizes.len();
    sets.map(|set| {
        let absent: f64 = sizes.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, size)| size).sum();
        let share = ((all - absent) / all).powi(length);
        if set.count_ones() % 2 == 0 { share } else { -share }
    })
    .sum()
}

/// Random numbers of the operating system, asked for in blocks.
struct Random {
    bytes: Zeroizing<[u8; 64]>,
    used: usize,
}

impl Random {
    fn new() -> Self {
        let bytes = Zeroizing::new([0; 64]);
        Self { used: bytes.len(), bytes }
    }

    /// A number below `count`, each as likely as the others. `count` is from 1 to 256.
    fn below(&mut self, count: usize) -> Result<usize, Error> {
        // What is above the highest multiple of `count` would make the lower numbers likelier.
        let fair = 256 / count * count;
        loop {
            let byte = usize::from(self.byte()?);
            if byte < fair {
                return Ok(byte % count);
            }
        }
    }

    fn byte(&mut self) -> Result<u8, Error> {
        if self.used == self.bytes.len() {
            getrandom::fill(self.bytes.as_mut_slice()).map_err(|error| {
                Error::new(ErrorKind::Configuration, "the operating system gives no randomness").with_source(error)
            })?;
            self.used = 0;
        }
        self.used += 1;
        Ok(self.bytes[self.used - 1])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_number_below_a_count_comes_up_about_equally_often() {
        // 96 does not divide 256: taking remainders would make the numbers below 64 half as likely again as the others.
        const DRAWS: u32 = 96 * 2000;
        let mut random = Random::new();
        let mut counts = [0_u32; 96];
        for _ in 0..DRAWS {
            counts[random.below(96).unwrap()] += 1;
        }
        // Each count has a deviation of 45. Eight of them are left out by chance once in 10^13 runs.
        assert!(counts.iter().all(|count| count.abs_diff(2000) < 360), "{counts:?}");
    }

    #[test]
    fn every_allowed_character_occurs_and_no_other() {
        let rules = Password::new().with_space().exclude("é\\").exclude_ambiguous().length(250);
        let mut seen = HashSet::new();
        for _ in 0..400 {
            seen.extend(rules.generate().unwrap().expose_secret().chars());
        }
        // 100,000 draws miss one of 88 characters once in 10^490 runs.
        let allowed: HashSet<_> = (' '..='~').filter(|it| !"\\0O1lI|".contains(*it)).collect();
        assert_eq!(seen, allowed);
    }

    #[test]
    fn what_no_password_can_be_made_by_is_refused_by_name() {
        let pin = || Password::new().without_lowercase().without_uppercase().without_punctuation();
        for (rules, field) in [
            (Password::new().length(0), "length"),
            (pin().without_numbers(), "exclude_characters"),
            (pin().exclude("0123456789"), "exclude_characters"),
            (Password::new().with_space().require_each().length(4), "length"),
        ] {
            assert_eq!(rules.generate().unwrap_err().field(), Some(field), "{rules:?}");
            assert_eq!(rules.entropy_bits().unwrap_err().field(), Some(field), "{rules:?}");
        }
        let two_classes = pin().with_space().require_each();
        assert!(two_classes.clone().length(2).generate().unwrap().expose_secret().contains(' '));
        let emptied = two_classes.exclude(" ").length(1).generate().unwrap();
        assert!(emptied.expose_secret().parse::<u8>().is_ok(), "a class without characters is no class");
    }

    #[test]
    fn rules_are_read_as_people_write_them() {
        assert_eq!("".parse::<Password>().unwrap(), Password::new());
        let rules = Password::new().length(12).without_lowercase().without_uppercase().without_numbers().with_space();
        assert_eq!("12, no-lowercase,no-uppercase,no-numbers,space".parse::<Password>().unwrap(), rules);
        assert_eq!("no-ambiguous".parse::<Password>().unwrap(), Password::new().exclude_ambiguous());
        for (text, field) in
            [("hunter2", "policy"), ("256", "policy"), ("-1", "policy"), ("0", "length"), ("3,each", "length")]
        {
            let error = text.parse::<Password>().unwrap_err();
            assert_eq!(error.field(), Some(field), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn entropy_counts_the_passwords_there_can_be() {
        // Digits 0 and 1, and the blank: of 27 passwords of three characters, 18 have a blank and a digit.
        let rules = Password::new().without_lowercase().without_uppercase().without_punctuation().with_space();
        let rules = rules.exclude("23456789").length(3);
        assert!((rules.entropy_bits().unwrap() - 27_f64.log2()).abs() < 1e-12);
        let rules = rules.require_each();
        assert!((rules.entropy_bits().unwrap() - 18_f64.log2()).abs() < 1e-12);
        let mut seen = HashSet::new();
        for _ in 0..2000 {
            seen.insert(rules.generate().unwrap().expose_secret().to_owned());
        }
        assert_eq!(seen.len(), 18, "the chance that one is missing is below 1 in 10^48");
    }

    #[test]
    fn rules_that_few_passwords_meet_are_met() {
        let keep_one =
            ('!'..='~').filter(|it| it.is_ascii_punctuation() && *it != '!').collect::<String>() + "123456789";
        let rules = Password::new().with_space().exclude(&keep_one).require_each().length(5);
        let password = rules.generate().unwrap();
        assert!([' ', '!', '0'].iter().all(|it| password.expose_secret().contains(*it)));
        assert!((rules.entropy_bits().unwrap() - (120.0 * 26.0 * 26.0_f64).log2()).abs() < 1e-6);
    }
}
