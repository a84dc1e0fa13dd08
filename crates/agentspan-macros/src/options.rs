//! Parses the options in the parentheses of an attribute.

use proc_macro2::{Spacing, TokenStream, TokenTree};
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

/// Everything up to the next comma that is neither in parentheses nor among the arguments of a type.
fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut angles = Angles::default();
    while !input.is_empty() && (angles.are_open() || !input.peek(Token![,])) {
        let token = input.parse::<TokenTree>()?;
        angles.read(&token);
        tokens.extend([token]);
    }
    match tokens.is_empty() {
        true => Err(input.error("expected an expression")),
        false => Ok(tokens),
    }
}

/// The brackets `<` and `>` that are open, as opposed to operators.
#[derive(Default)]
struct Angles {
    open: usize,
    /// Whether an operand has been read, so that an operator follows.
    is_after_operand: bool,
    /// The character of the previous token that belongs together with the next one.
    joint: Option<char>,
}

impl Angles {
    fn are_open(&self) -> bool {
        self.open > 0
    }

    fn read(&mut self, token: &TokenTree) {
        let TokenTree::Punct(punct) = token else {
            (self.is_after_operand, self.joint) = (true, None);
            return;
        };
        match (punct.as_char(), self.joint) {
            // Halves of `<<`, `->` and `=>`.
            ('<', Some('<')) | ('>', Some('-' | '=')) => {}
            ('<', _) if self.are_open() || !self.is_after_operand => self.open += 1,
            ('>', _) => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.is_after_operand = false;
        self.joint = (punct.spacing() == Spacing::Joint).then(|| punct.as_char());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(component: TokenStream) {
        let options: Options = syn::parse2(quote!(component = #component, skip_all)).unwrap();
        let found = options.component.unwrap().to_string();
        assert_eq!(found, component.to_string());
        assert!(options.skip_all);
    }

    #[test]
    fn a_comma_among_the_arguments_of_a_type_ends_no_expression() {
        check(quote!(tool::<A, B>()));
        check(quote!(tool::<A<C, D>, B>(a, b)));
        check(quote!(<Desk as Made<A, B>>::tool()));
        check(quote!(&<A>::tools::<fn(A) -> B, C>()[0]));
        check(quote!(self.tool));
        check(quote!(tools[usize::from(a < b)]));
        check(quote!(pick(a << 2, b >> 2)));
    }

    #[test]
    fn an_operator_opens_nothing() {
        check(quote!(a < b));
        check(quote!(1 << 2));
        check(quote!(a >= b));
    }
}
