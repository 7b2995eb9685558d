//! `#[derive(Model)]` on an enumeration: known texts, and whatever else the service says.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Fields, LitStr};

pub(crate) fn expand(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let name = &input.ident;
    let mut idents = Vec::new();
    let mut texts = Vec::new();
    let Some((last, known)) = data.variants.iter().collect::<Vec<_>>().split_last().map(|(l, k)| (*l, k.to_vec()))
    else {
        return Err(syn::Error::new_spanned(name, "expected variants"));
    };
    if last.ident != "Other" || !matches!(last.fields, Fields::Unnamed(_)) {
        return Err(syn::Error::new_spanned(last, "the last variant has to be `Other(String)`"));
    }
    for variant in known {
        let Some(attribute) = variant.attrs.iter().find(|attribute| attribute.path().is_ident("wire")) else {
            return Err(syn::Error::new_spanned(variant, "expected #[wire(\"…\")]"));
        };
        idents.push(&variant.ident);
        texts.push(attribute.parse_args::<LitStr>()?);
    }
    Ok(quote! {
        impl #name {
            /// The texts that are known today.
            pub const KNOWN: &'static [&'static str] = &[#(#texts),*];

            /// The text on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#idents => #texts,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl ::std::convert::From<&str> for #name {
            fn from(text: &str) -> Self {
                match text {
                    #(#texts => Self::#idents,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl ::std::convert::From<String> for #name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    #(#texts => Self::#idents,)*
                    _ => Self::Other(text),
                }
            }
        }

        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl crate::value::Value for #name {
            const KIND: crate::model::Kind = crate::model::Kind::Enum(Self::KNOWN);

            fn read<'de, D: ::serde::Deserializer<'de>>(input: D) -> ::std::result::Result<Self, D::Error> {
                crate::value::read_enum(input)
            }

            fn read_optional<'de, D: ::serde::Deserializer<'de>>(
                input: D,
            ) -> ::std::result::Result<Option<Self>, D::Error> {
                crate::value::read_optional_enum(input)
            }

            fn absent() -> Self {
                Self::from("")
            }

            fn view(&self) -> Option<crate::model::View<'_>> {
                Some(crate::model::View::Text(self.as_str().into()))
            }
        }
    })
}
