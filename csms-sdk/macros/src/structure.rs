//! `#[derive(Model)]` on a struct: its table, its visit, its reader, and for requests its constructor.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, DataStruct, DeriveInput, Expr, LitInt, LitStr, Token, Type,
    ext::IdentExt,
    meta::ParseNestedMeta,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::docs;

pub(crate) fn expand(input: &DeriveInput, data: &DataStruct) -> syn::Result<TokenStream> {
    let mut model = ModelArgs::default();
    let mut operation = None;
    for attribute in &input.attrs {
        if attribute.path().is_ident("model") {
            attribute.parse_nested_meta(|meta| model.parse(&meta))?;
        } else if attribute.path().is_ident("operation") {
            operation = Some(attribute.parse_args::<OperationArgs>()?);
        }
    }
    let fields =
        data.fields.iter().map(|field| FieldArgs::new(field, operation.as_ref())).collect::<syn::Result<Vec<_>>>()?;
    if let Some(operation) = &operation {
        operation.check_path(&fields)?;
        model.exactly_one = operation.exactly_one.clone();
    }

    let table = table(input, &model, &fields);
    let reader = reader(input, &fields);
    let constructor = (model.input || operation.is_some()).then(|| constructor(input, &fields));
    let role = match &operation {
        Some(operation) => {
            let (role, paged) = (operation.expand(input, &fields), operation.paged(input)?);
            quote! { #role #paged }
        }
        None => answer(input, &fields),
    };
    Ok(quote! { #table #reader #constructor #role })
}

/// `SHAPE`, and the visit of the fields.
fn table(input: &DeriveInput, model: &ModelArgs, fields: &[FieldArgs<'_>]) -> TokenStream {
    let name = &input.ident;
    let wire_name = model.name.clone().unwrap_or_else(|| name.to_string());
    let docs = docs(&input.attrs);
    let rows = fields.iter().map(FieldArgs::row);
    let groups = &model.exactly_one;
    let idents = fields.iter().map(|field| field.ident);
    let indexes = 0..fields.len();
    let (binding, visits) = if fields.is_empty() {
        (quote!(_visit), quote!())
    } else {
        let visits = quote! {
            #(if let Some(view) = crate::value::Value::view(&self.#idents) {
                visit(&Self::SHAPE.fields[#indexes], view);
            })*
        };
        (quote!(visit), visits)
    };
    quote! {
        impl #name {
            /// The description of this struct.
            pub const SHAPE: &'static crate::model::Shape =
                &crate::model::Shape::new(#wire_name, #docs, &[#(#rows),*], &[#(&[#(#groups),*]),*]);
        }

        impl crate::model::Fields for #name {
            fn shape(&self) -> &'static crate::model::Shape {
                Self::SHAPE
            }

            fn each<'a>(
                &'a self,
                #binding: &mut dyn FnMut(&'static crate::model::Field, crate::model::View<'a>),
            ) {
                #visits
            }
        }
    }
}

/// The lenient reader: unknown members are skipped, absent ones keep their default, a list stands for its
/// first item.
fn reader(input: &DeriveInput, fields: &[FieldArgs<'_>]) -> TokenStream {
    let name = &input.ident;
    let all = fields.iter().map(|field| field.ident);
    let members = fields.iter().filter(|field| !field.rest).collect::<Vec<_>>();
    let arms = members.iter().enumerate().map(|(index, field)| {
        let names = std::iter::once(&field.wire).chain(&field.aliases);
        quote!(#(#names)|* => #index)
    });
    let reads = members.iter().enumerate().map(|(index, field)| {
        let ident = field.ident;
        quote!(#index => model.#ident = members.next_value_seed(crate::value::Read(::std::marker::PhantomData))?)
    });
    let read_members = match fields.iter().find(|field| field.rest) {
        None => quote! {
            while let Some(index) = members.next_key_seed(crate::value::Name(index))? {
                match index {
                    #(#reads,)*
                    _ => { members.next_value::<::serde::de::IgnoredAny>()?; }
                }
            }
        },
        Some(FieldArgs { ident, .. }) => quote! {
            while let Some(name) = members.next_key::<String>()? {
                match index(&name) {
                    #(#reads,)*
                    _ => { model.#ident.insert(name, members.next_value()?); }
                }
            }
        },
    };
    quote! {
        impl crate::value::Struct for #name {
            fn read_members<'de, A: ::serde::de::MapAccess<'de>>(
                mut members: A,
            ) -> ::std::result::Result<Self, A::Error> {
                #[allow(clippy::match_single_binding)] // a struct without fields has none to tell apart
                fn index(name: &str) -> usize {
                    match name {
                        #(#arms,)*
                        _ => usize::MAX,
                    }
                }
                #[allow(unused_mut)] // a struct without fields stays as it is
                let mut model = <Self as crate::value::Value>::absent();
                #read_members
                Ok(model)
            }
        }

        impl crate::value::Value for #name {
            const KIND: crate::model::Kind = crate::model::Kind::Object(Self::SHAPE);

            fn read<'de, D: ::serde::Deserializer<'de>>(input: D) -> ::std::result::Result<Self, D::Error> {
                crate::value::read_struct(input)
            }

            fn absent() -> Self {
                Self { #(#all: crate::value::Value::absent()),* }
            }

            fn view(&self) -> Option<crate::model::View<'_>> {
                Some(crate::model::View::Object(crate::model::Object::Typed(self)))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(input: D) -> ::std::result::Result<Self, D::Error> {
                <Self as crate::value::Value>::read(input)
            }
        }
    }
}

/// `new` over the required fields, one setter for each of the others.
fn constructor(input: &DeriveInput, fields: &[FieldArgs<'_>]) -> TokenStream {
    let name = &input.ident;
    let required = fields.iter().filter(|field| field.optional.is_none() && !field.rest);
    let parameters = required.clone().map(|field| {
        let (ident, ty) = (field.ident, parameter(field.ty));
        quote!(#ident: #ty)
    });
    let values = fields.iter().map(|field| {
        let ident = field.ident;
        match field.optional.is_some() || field.rest {
            true => quote!(#ident: crate::value::Value::absent()),
            false => {
                let value = conversion(field.ty, ident);
                quote!(#ident: #value)
            }
        }
    });
    let setters = fields.iter().filter_map(|field| {
        let inner = field.optional.as_ref()?;
        let (ident, docs) = (field.ident, &field.docs);
        let (ty, value) = (parameter(inner), conversion(inner, ident));
        Some(quote! {
            #[doc = #docs]
            #[must_use]
            pub fn #ident(mut self, #ident: #ty) -> Self {
                self.#ident = Some(#value);
                self
            }
        })
    });
    let (summary, default) = match required.count() {
        0 => (
            "With nothing set.",
            Some(quote! {
                impl ::std::default::Default for #name {
                    fn default() -> Self {
                        Self::new()
                    }
                }
            }),
        ),
        _ => ("With the required fields; each of the others has a setter.", None),
    };
    quote! {
        impl #name {
            #[doc = #summary]
            #[must_use]
            pub fn new(#(#parameters),*) -> Self {
                Self { #(#values),* }
            }

            #(#setters)*
        }

        #default
    }
}

/// What the constructor and the setters take for a field of this type.
fn parameter(ty: &Type) -> TokenStream {
    match generic(ty, "Vec") {
        Some(item) => quote!(impl IntoIterator<Item = impl Into<#item>>),
        None => quote!(impl Into<#ty>),
    }
}

fn conversion(ty: &Type, ident: &Ident) -> TokenStream {
    match generic(ty, "Vec") {
        Some(_) => quote!(#ident.into_iter().map(Into::into).collect()),
        None => quote!(#ident.into()),
    }
}

/// An answer reads a body, and the headers that belong to it.
fn answer(input: &DeriveInput, fields: &[FieldArgs<'_>]) -> TokenStream {
    let name = &input.ident;
    let headers = fields.iter().filter(|field| field.place.header).map(|field| {
        let (ident, wire) = (field.ident, &field.wire);
        quote! {
            if let Some(text) = headers.get(#wire).and_then(|value| value.to_str().ok()) {
                self.#ident = Some(text.into());
            }
        }
    });
    let headers = headers.collect::<Vec<_>>();
    let read_headers = (!headers.is_empty()).then(|| {
        quote! {
            fn read_headers(&mut self, headers: &::http::HeaderMap) {
                #(#headers)*
            }
        }
    });
    quote! {
        impl crate::operation::Answer for #name {
            const SHAPE: Option<&'static crate::model::Shape> = Some(Self::SHAPE);

            fn read(body: &[u8]) -> ::std::result::Result<Self, crate::operation::DecodeError> {
                crate::operation::read_body(body)
            }

            fn fields(&self) -> Option<&dyn crate::model::Fields> {
                Some(self)
            }

            #read_headers
        }
    }
}

#[derive(Default)]
struct ModelArgs {
    name: Option<String>,
    input: bool,
    exactly_one: Vec<Vec<LitStr>>,
}

impl ModelArgs {
    fn parse(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("name") {
            self.name = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if meta.path.is_ident("input") {
            self.input = true;
        } else if meta.path.is_ident("exactly_one") {
            self.exactly_one.push(names(meta.input)?);
        } else {
            return Err(meta.error("expected `name`, `input` or `exactly_one`"));
        }
        Ok(())
    }
}

fn names(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

struct OperationArgs {
    method: Ident,
    path: LitStr,
    response: Option<Type>,
    permission: Option<LitStr>,
    role: Option<LitStr>,
    needs: Vec<LitStr>,
    idempotent: bool,
    success: Option<LitInt>,
    paging: Option<Expr>,
    item: Option<Type>,
    unsigned: bool,
    exactly_one: Vec<Vec<LitStr>>,
}

impl Parse for OperationArgs {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let method = input.parse::<Ident>()?;
        if !["GET", "POST", "PUT", "DELETE"].iter().any(|known| method == known) {
            return Err(syn::Error::new(method.span(), "expected GET, POST, PUT or DELETE"));
        }
        input.parse::<Token![,]>()?;
        let mut args = Self {
            method,
            path: input.parse()?,
            response: None,
            permission: None,
            role: None,
            needs: Vec::new(),
            idempotent: false,
            success: None,
            paging: None,
            item: None,
            unsigned: false,
            exactly_one: Vec::new(),
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            args.parse_option(input)?;
        }
        Ok(args)
    }
}

impl OperationArgs {
    fn parse_option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key = input.parse::<Ident>()?;
        if key == "idempotent" {
            self.idempotent = true;
            return Ok(());
        }
        if key == "unsigned" {
            self.unsigned = true;
            return Ok(());
        }
        if key == "exactly_one" {
            self.exactly_one.push(names(input)?);
            return Ok(());
        }
        if key == "needs" {
            self.needs = names(input)?;
            return Ok(());
        }
        input.parse::<Token![=]>()?;
        match key.to_string().as_str() {
            "response" => self.response = Some(input.parse()?),
            "permission" => self.permission = Some(input.parse()?),
            "role" => self.role = Some(input.parse()?),
            "success" => self.success = Some(input.parse()?),
            "paging" => self.paging = Some(input.parse()?),
            "item" => self.item = Some(input.parse()?),
            _ => return Err(syn::Error::new(key.span(), "unknown option of an operation")),
        }
        Ok(())
    }

    /// Names between braces in the path, without the project's.
    fn path_names(&self) -> Vec<String> {
        let path = self.path.value();
        let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        names.map(|(name, _)| name.to_owned()).filter(|name| name != "project_id").collect()
    }

    fn check_path(&self, fields: &[FieldArgs<'_>]) -> syn::Result<()> {
        for name in self.path_names() {
            if !fields.iter().any(|field| field.wire == name && field.optional.is_none()) {
                let message = format!("the path names `{name}`, but no required field has that name");
                return Err(syn::Error::new(self.path.span(), message));
            }
        }
        Ok(())
    }

    /// What an operation with pages has besides: the type of its items, and how to take them out of an answer.
    fn paged(&self, input: &DeriveInput) -> syn::Result<TokenStream> {
        let name = &input.ident;
        let (paging, item, response) = match (&self.paging, &self.item, &self.response) {
            (None, None, _) => return Ok(TokenStream::new()),
            (Some(paging), Some(item), Some(response)) => (paging, item, response),
            _ => return Err(syn::Error::new_spanned(name, "pages need `paging`, `item` and `response`")),
        };
        let list = list_of(paging)?;
        Ok(quote! {
            impl crate::operation::Paged for #name {
                type Item = #item;

                const PAGING: crate::operation::Paging = #paging;

                fn items(answer: #response) -> Vec<#item> {
                    answer.#list
                }
            }
        })
    }

    fn expand(&self, input: &DeriveInput, fields: &[FieldArgs<'_>]) -> TokenStream {
        let name = &input.ident;
        let text = name.to_string();
        let (method, path, idempotent) = (&self.method, &self.path, self.idempotent);
        let response = self.response.as_ref().map_or_else(|| quote!(()), ToTokens::to_token_stream);
        let permission = option(self.permission.as_ref());
        let role_permission = option(self.role.as_ref().or(self.permission.as_ref()));
        let needs = &self.needs;
        let paging = match &self.paging {
            Some(_) => quote!(Some(<Self as crate::operation::Paged>::PAGING)),
            None => quote!(None),
        };
        let success = match (&self.success, &self.response) {
            (Some(status), _) => quote!(#status),
            (None, Some(_)) => quote!(200),
            (None, None) => quote!(204),
        };
        let has_body = fields.iter().any(|field| field.place.body);
        let auth = if self.unsigned { format_ident!("None") } else { format_ident!("Credentials") };
        let mut line = format!("`{method} {}`", path.value());
        if let Some(permission) = &self.permission {
            line.push_str(&format!(" · permission `{}`", permission.value()));
        }
        if self.idempotent {
            line.push_str(" · safe to repeat");
        }
        quote! {
            impl crate::operation::Operation for #name {
                type Response = #response;

                const INFO: &'static crate::operation::OperationInfo = &crate::operation::OperationInfo {
                    service: CHAPTER.service,
                    name: #text,
                    group: CHAPTER.group,
                    method: crate::operation::Method::#method,
                    path: #path,
                    request: Self::SHAPE,
                    has_body: #has_body,
                    response: <#response as crate::operation::Answer>::SHAPE,
                    success: #success,
                    idempotent: #idempotent,
                    permission: #permission,
                    role_permission: #role_permission,
                    needs: &[#(#needs),*],
                    paging: #paging,
                    auth: crate::operation::Auth::#auth,
                };
            }

            #[doc = #line]
            impl #name {
                /// Sends this request and reads the answer; the same as [`Client::send`](crate::Client::send).
                ///
                /// # Errors
                /// Every [`Error`](crate::Error): input that cannot be right, no answer, or a refusal of the service.
                pub async fn send(
                    self,
                    caller: &impl crate::operation::Caller,
                ) -> ::std::result::Result<crate::operation::Response<#response>, crate::error::Error> {
                    crate::operation::Caller::call(caller, self).await
                }
            }
        }
    }
}

/// The field of an answer that holds the items, as `Paging::… { items: "…", … }` names it.
fn list_of(paging: &Expr) -> syn::Result<Ident> {
    let wrong = || syn::Error::new_spanned(paging, "expected Paging::… { items: \"…\", … }");
    let Expr::Struct(paging) = paging else { return Err(wrong()) };
    let items = paging.fields.iter().find(|field| matches!(&field.member, syn::Member::Named(name) if name == "items"));
    match items.map(|field| &field.expr) {
        Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) => text.parse(),
        _ => Err(wrong()),
    }
}

fn option(value: Option<&impl ToTokens>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}

#[derive(Clone, Copy, Default)]
struct Place {
    path: bool,
    query: bool,
    header: bool,
    body: bool,
}

struct FieldArgs<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    /// The type inside the `Option`; `None` for a required field.
    optional: Option<Type>,
    docs: String,
    wire: String,
    aliases: Vec<String>,
    format: Ident,
    place: Place,
    checks: Vec<Expr>,
    rest: bool,
}

impl<'a> FieldArgs<'a> {
    fn new(field: &'a syn::Field, operation: Option<&OperationArgs>) -> syn::Result<Self> {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new_spanned(field, "expected a struct with named fields"));
        };
        let mut args = Self {
            ident,
            ty: &field.ty,
            optional: generic(&field.ty, "Option"),
            docs: docs(&field.attrs),
            wire: ident.unraw().to_string(),
            aliases: Vec::new(),
            format: format_ident!("Plain"),
            place: Place::default(),
            checks: Vec::new(),
            rest: false,
        };
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("field")) {
            args.parse(attribute)?;
        }
        args.place(operation);
        Ok(args)
    }

    fn parse(&mut self, attribute: &Attribute) -> syn::Result<()> {
        attribute.parse_nested_meta(|meta| {
            let Some(key) = meta.path.get_ident().map(Ident::to_string) else {
                return Err(meta.error("expected a word"));
            };
            match key.as_str() {
                "name" => self.wire = meta.value()?.parse::<LitStr>()?.value(),
                "alias" => self.aliases.push(meta.value()?.parse::<LitStr>()?.value()),
                "text" => self.format = format_ident!("Text"),
                "digit" => self.format = format_ident!("Digit"),
                "seconds" => self.format = format_ident!("Seconds"),
                "seconds_text" => self.format = format_ident!("SecondsText"),
                "rfc3339" => self.format = format_ident!("Rfc3339"),
                "path" => self.place.path = true,
                "query" => self.place.query = true,
                "header" => self.place.header = true,
                "body" => self.place.body = true,
                "rest" => self.rest = true,
                "check" => {
                    let content;
                    parenthesized!(content in meta.input);
                    self.checks.extend(Punctuated::<Expr, Token![,]>::parse_terminated(&content)?);
                }
                _ => return Err(meta.error("unknown option of a field")),
            }
            Ok(())
        })
    }

    /// Applies the rule where nothing was said: the path where it is named there, else the query of a GET or
    /// DELETE, else the body.
    fn place(&mut self, operation: Option<&OperationArgs>) {
        let Place { path, query, header, body } = self.place;
        if path || query || header || body {
            return;
        }
        match operation {
            Some(operation) if operation.path_names().contains(&self.wire) => self.place.path = true,
            Some(operation) if operation.method == "GET" || operation.method == "DELETE" => self.place.query = true,
            _ => self.place.body = true,
        }
    }

    fn row(&self) -> TokenStream {
        let Self { ty, docs, wire, aliases, format, checks, rest, .. } = self;
        let Place { path, query, header, body } = self.place;
        let required = self.optional.is_none() && !rest;
        quote! {
            crate::model::Field::new(
                #wire,
                &[#(#aliases),*],
                #docs,
                <#ty as crate::value::Value>::KIND,
                crate::model::Format::#format,
                #required,
                crate::model::Place::new(#path, #query, #header, #body),
                &[#(crate::model::Check::#checks),*],
            )
        }
    }
}

/// `T` of `Outer<T>`.
fn generic(ty: &Type, outer: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    if segment.ident != outer {
        return None;
    }
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}
