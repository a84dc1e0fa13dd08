//! What stands in the parentheses of an attribute.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Token, parenthesized};

/// The options of an attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) component: Option<TokenStream>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_all: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let option: Ident = input.parse()?;
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
                _ => {
                    let known = "expected `name = \"…\"`, `component = …`, `skip(…)` or `skip_all`";
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
