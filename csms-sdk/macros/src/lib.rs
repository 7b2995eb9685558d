//! The one derive of `csms-sdk`.
//!
//! `#[derive(Model)]` stands on every struct and enumeration of the API. It writes what a person would otherwise
//! write by hand from the same lines: the table that describes the struct, the visit of its fields, its
//! lenient reader, and for requests a constructor over the required fields and a setter for each of the rest.
//!
//! - on a struct with `#[operation(METHOD, "path", …)]`: a request. Options: `response = Type` (none: no content),
//!   `permission = "action"`, `role = "action of roles, if another"`, `needs("further action")`, `idempotent`,
//!   `success = 201`, `paging = Paging::…` with `item = Type`, `unsigned`, `exactly_one("a", "b")`. Service and chapter come from a `CHAPTER` constant in scope.
//! - on any other struct: an answer or a part of one; with `#[model(input)]` also a part of a request.
//!   Options: `name = "…"` where the reference's name is not the struct's, `exactly_one(…)`.
//! - on a field, `#[field(…)]`: `name = "…"` (wire name), `alias = "…"` (also read), `text`, `digit`, `seconds`,
//!   `seconds_text`, `rfc3339` (how a scalar is written), `path`, `query`, `body`, `header` (where it stands, if not
//!   where the rule puts it), `check(…)` (what is refused before sending), `rest` (collects unknown members).
//! - on an enumeration: every variant but the last says `#[wire("TEXT")]`; the last is `Other(String)`.

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, parse_macro_input};

mod enumeration;
mod structure;

/// See the crate's documentation.
#[proc_macro_derive(Model, attributes(operation, model, field, wire))]
pub fn derive_model(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    match &input.data {
        Data::Struct(data) => structure::expand(input, data),
        Data::Enum(data) => enumeration::expand(input, data),
        Data::Union(_) => Err(syn::Error::new_spanned(&input.ident, "a union cannot be part of the API")),
    }
}

/// The text of the doc comments, without the one blank that follows the slashes.
fn docs(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            path,
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }),
            ..
        }) if path.is_ident("doc") => Some(text.value()),
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect::<Vec<_>>().join("\n")
}
