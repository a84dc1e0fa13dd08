//! Parses the options in the parentheses of an attribute.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Path, Token, parenthesized};

/// The options of an attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) component: Option<TokenStream>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_all: bool,
    /// Where `agentspan` is, if it has another name in the crate of the function.
    path: Option<Path>,
}

impl Options {
    /// The path of `agentspan`.
    pub(crate) fn path(&self) -> TokenStream {
        match &self.path {
            Some(path) => path.to_token_stream(),
            None => quote!(::agentspan),
        }
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            // `crate` is a keyword.
            let option = input.call(Ident::parse_any)?;
            match option.to_string().as_str() {
                "name" => {
                    input.parse::<Token![=]>()?;
                    options.name = Some(input.parse()?);
                }
                "component" => {
                    input.parse::<Token![=]>()?;
                    options.component = Some(expression(input)?);
                }
                "skip" => {
                    let names;
                    parenthesized!(names in input);
                    let names = Punctuated::<Ident, Token![,]>::parse_terminated(&names)?;
                    options.skip.extend(names);
                }
                "skip_all" => options.skip_all = true,
                "crate" => {
                    input.parse::<Token![=]>()?;
                    let path: LitStr = input.parse()?;
                    options.path = Some(path.parse()?);
                }
                _ => {
                    let known = "expected `name = \"…\"`, `component = …`, `skip(…)`, `skip_all` or `crate = \"…\"`";
                    return Err(Error::new(option.span(), known));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if let (Some(name), Some(_)) = (&options.name, &options.component) {
            return Err(Error::new(name.span(), "the component has a name already"));
        }
        Ok(options)
    }
}

/// Everything up to the next comma that is in no parentheses.
fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    match tokens.is_empty() {
        true => Err(input.error("expected an expression")),
        false => Ok(tokens),
    }
}
