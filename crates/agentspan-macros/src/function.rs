//! Parses the parts of a function that the attributes need. The body stays tokens.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, Expr, Generics, Ident, Lifetime, Lit, Meta, Token, Type, Visibility, braced,
    parenthesized,
};

/// A function with a body.
pub(crate) struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    pub(crate) is_async: bool,
    pub(crate) name: Ident,
    generics: Generics,
    arguments: TokenStream,
    /// The arguments that have a name.
    pub(crate) named: Vec<Argument>,
    pub(crate) output: Type,
    pub(crate) body: TokenStream,
}

/// An argument with a name.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// The conditions under which there is such an argument.
    pub(crate) conditions: Vec<Attribute>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let is_async = input.parse::<Option<Token![async]>>()?.is_some();
        if !input.peek(Token![fn]) {
            return Err(input.error("expected a function, `async` or not, that is neither `const`, `unsafe` nor `extern`"));
        }
        input.parse::<Token![fn]>()?;
        let name: Ident = input.parse()?;
        let mut generics: Generics = input.parse()?;
        let content;
        parenthesized!(content in input);
        let (mut arguments, mut named) = (TokenStream::new(), Vec::new());
        while !content.is_empty() {
            argument(&content, &mut arguments, &mut named)?;
            if !content.is_empty() {
                content.parse::<Token![,]>()?.to_tokens(&mut arguments);
            }
        }
        if !input.peek(Token![->]) {
            return Err(Error::new(
                name.span(),
                "the function must return a `Result`",
            ));
        }
        input.parse::<Token![->]>()?;
        let output = input.parse()?;
        generics.where_clause = input.parse()?;
        let body;
        braced!(body in input);
        Ok(Self {
            attributes,
            visibility,
            is_async,
            name,
            generics,
            arguments,
            named,
            output,
            body: body.parse()?,
        })
    }
}

/// Reads one argument.
fn argument(
    input: ParseStream<'_>,
    arguments: &mut TokenStream,
    named: &mut Vec<Argument>,
) -> syn::Result<()> {
    let attributes = input.call(Attribute::parse_outer)?;
    for attribute in &attributes {
        attribute.to_tokens(arguments);
    }
    if input.peek(Token![&]) {
        // A reference to `self`: patterns of functions begin with one only where nobody writes so.
        input.parse::<Token![&]>()?.to_tokens(arguments);
        input.parse::<Option<Lifetime>>()?.to_tokens(arguments);
    }
    input.parse::<Option<Token![mut]>>()?.to_tokens(arguments);
    if input.peek(Token![self]) {
        input.parse::<Token![self]>()?.to_tokens(arguments);
        if !input.peek(Token![:]) {
            return Ok(());
        }
    } else if input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
        let name: Ident = input.parse()?;
        name.to_tokens(arguments);
        let conditions = attributes.into_iter();
        let conditions = conditions.filter(|attribute| attribute.path().is_ident("cfg"));
        named.push(Argument {
            name,
            conditions: conditions.collect(),
        });
    } else {
        while !input.peek(Token![:]) || input.peek(Token![::]) {
            // Both halves of `::` at once.
            if input.peek(Token![::]) {
                input.parse::<Token![::]>()?.to_tokens(arguments);
            } else {
                input.parse::<TokenTree>()?.to_tokens(arguments);
            }
        }
    }
    input.parse::<Token![:]>()?.to_tokens(arguments);
    input.parse::<Type>()?.to_tokens(arguments);
    Ok(())
}

impl Function {
    /// The function with another body.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let Self {
            attributes,
            visibility,
            name,
            generics,
            arguments,
            output,
            ..
        } = self;
        let asynchronous = self.is_async.then(|| quote!(async));
        let condition = &generics.where_clause;
        quote! {
            #(#attributes)*
            #visibility #asynchronous fn #name #generics (#arguments) -> #output #condition { #body }
        }
    }

    /// The type of a closure with the body. None where it cannot be written, because it is not
    /// named: it follows from the type of the function.
    pub(crate) fn closure_output(&self) -> Option<TokenStream> {
        let output = self.output.to_token_stream();
        (!has_opaque_type(output.clone())).then(|| quote!(-> #output))
    }

    /// The name without the `r#` of a raw identifier.
    pub(crate) fn plain_name(&self) -> String {
        self.name.unraw().to_string()
    }

    /// The first paragraph of the documentation.
    pub(crate) fn description(&self) -> Option<String> {
        let lines = self.attributes.iter().filter_map(documentation);
        let lines: Vec<_> = lines.map(|line| line.trim().to_owned()).collect();
        let paragraph = lines
            .iter()
            .skip_while(|line| line.is_empty())
            .take_while(|line| !line.is_empty());
        let paragraph = paragraph.cloned().collect::<Vec<_>>().join(" ");
        (!paragraph.is_empty()).then_some(paragraph)
    }
}

/// Whether `impl` is among the tokens of a type.
fn has_opaque_type(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => has_opaque_type(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn documentation(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else {
        return None;
    };
    match &meta.value {
        Expr::Lit(literal) if meta.path.is_ident("doc") => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
