//! Expands a function with an attribute.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Error, Ident};

use crate::function::{Argument, Function};
use crate::options::Options;

/// The function as an execution of a component of this kind, or an error of the compiler and the function as it is.
pub(crate) fn function(kind: &str, options: TokenStream, function: TokenStream) -> TokenStream {
    let read =
        syn::parse2(options).and_then(|options| Ok((options, syn::parse2(function.clone())?)));
    let executed = read.and_then(|(options, function)| execution(kind, &options, &function));
    executed.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#error #function)
    })
}

fn execution(kind: &str, options: &Options, function: &Function) -> syn::Result<TokenStream> {
    let recorded = recorded(options, function)?;
    let component = component(&format_ident!("{kind}"), options, function);
    let execution = format_ident!("{kind}Execution");
    let this = Ident::new("execution", Span::mixed_site());
    let path = options.path();
    let inputs = (!recorded.is_empty()).then(|| {
        let fields = Ident::new("fields", Span::mixed_site());
        let with = recorded.iter().map(|Argument { name, conditions }| {
            let key = name.unraw().to_string();
            quote!(#(#conditions)* let #fields = #fields.with(#key, &#name);)
        });
        quote! {
            .with_inputs(&{
                let #fields = #path::processor::execution::Fields::new();
                #(#with)*
                #fields
            })
        }
    });
    let body = &function.body;
    // Where the type that is returned is not right, the compiler shows that.
    let call = match function.is_async {
        true => quote_spanned! {function.output.span()=>
            #this.run(|_| async move { #body }).await
        },
        false => {
            let output = function.closure_output();
            quote_spanned! {function.output.span()=>
                #this.in_span(|_| #output { #body })
            }
        }
    };
    Ok(function.with_body(&quote! {
        let #this = #path::processor::execution::#execution::of(#component)#inputs;
        #call
    }))
}

/// The arguments whose values are recorded.
fn recorded<'a>(options: &Options, function: &'a Function) -> syn::Result<Vec<&'a Argument>> {
    let is_named = |name: &&Ident| function.named.iter().any(|it| it.name == **name);
    let unknown = options.skip.iter().find(|name| !is_named(name));
    if let Some(name) = unknown {
        let text = format!("the function has no argument of the name `{name}`");
        return Err(Error::new(name.span(), text));
    }
    let named = function.named.iter().filter(|_| !options.skip_all);
    Ok(named
        .filter(|argument| !options.skip.contains(&argument.name))
        .collect())
}

/// A reference to the component.
fn component(kind: &Ident, options: &Options, function: &Function) -> TokenStream {
    if let Some(component) = &options.component {
        return quote!(&#component);
    }
    let name = match &options.name {
        Some(name) => name.value(),
        None => function.plain_name(),
    };
    let path = options.path();
    let description = function.description();
    let description = description.map(|description| quote!(.with_description(#description)));
    quote!({
        static COMPONENT: ::std::sync::OnceLock<#path::model::agentspec::#kind> =
            ::std::sync::OnceLock::new();
        COMPONENT.get_or_init(|| #path::model::agentspec::#kind::new(#name)#description)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(options: TokenStream, tokens: TokenStream, says: &str) {
        let expanded = function("Tool", options, tokens.clone()).to_string();
        assert!(
            expanded.contains("compile_error") && expanded.contains(says),
            "{expanded}"
        );
        // So that nothing else is in error.
        assert!(expanded.ends_with(&tokens.to_string()), "{expanded}");
    }

    #[test]
    fn a_renamed_crate_is_named_by_its_path() {
        let tokens = quote!(
            fn tool(a: u8) -> Result<(), Error> {
                Ok(())
            }
        );
        let expanded = |options| function("Tool", options, tokens.clone()).to_string();
        let usual = expanded(quote!());
        assert_eq!(usual.matches(":: agentspan ::").count(), 4, "{usual}");
        let renamed = expanded(quote!(crate = "crate::spans"));
        let by_path = usual.replace(":: agentspan ::", "crate :: spans ::");
        assert_eq!(renamed, by_path);
    }

    #[test]
    fn what_cannot_be_traced_is_refused_with_a_reason() {
        let good = || {
            quote!(
                fn tool(a: u8) -> Result<(), Error> {
                    Ok(())
                }
            )
        };
        check_refused(
            quote!(),
            quote!(
                fn tool() {}
            ),
            "must return a `Result`",
        );
        check_refused(
            quote!(),
            quote!(
                struct Tool;
            ),
            "expected a function",
        );
        check_refused(
            quote!(),
            quote!(
                const fn tool() -> R {
                    x
                }
            ),
            "expected a function",
        );
        check_refused(quote!(skip(b)), good(), "no argument of the name `b`");
        check_refused(quote!(nam = "a"), good(), "expected `name");
        check_refused(quote!(crate = "a b"), good(), "unexpected token");
        check_refused(quote!(crate), good(), "expected `=`");
        check_refused(quote!(component = ), good(), "expected an expression");
        check_refused(quote!(name = "a", component = b), good(), "a name already");
    }
}
