//! A Rust source as a flat list of tokens that know whether they belong to tests.
//!
//! Comments are gone and documentation is left out, so that rules about code see code only.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::Finding;

/// A Rust file of the project.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) tokens: Vec<Token>,
    /// How many lines the file has.
    pub(super) lines: usize,
    /// How many of them are modules or functions inside the file that only tests see.
    pub(super) test_lines: usize,
    /// The first line that is not empty.
    pub(super) first_line: String,
}

/// One token and where it stands.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) line: usize,
    /// Whether only tests see it.
    pub(super) in_test: bool,
    /// Whether it is part of an attribute, as in `#[serde(rename = "name")]`.
    pub(super) in_attribute: bool,
}

/// What a token is. The brackets of groups are punctuation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word(String),
    Punctuation(char),
    /// A string or byte string: the text between the quotes, its escapes as written.
    Text(String),
    /// Any other literal.
    Literal,
}

impl Source {
    /// Splits a file into tokens.
    pub(super) fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let stream: TokenStream = text
            .parse()
            .map_err(|error| Finding::in_file(path, format!("is not Rust: {error}")))?;
        let mut flattening = Flattening::default();
        flattening.stream(stream, is_test_file(path), false);
        Ok(Self {
            path: path.to_owned(),
            tokens: flattening.tokens,
            lines: text.lines().count(),
            test_lines: flattening.test_lines,
            first_line: text
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// Where the words and punctuation of `pattern`, separated by spaces, stand one after the other.
    pub(super) fn positions<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = usize> + 'a {
        (0..self.tokens.len()).filter(move |&at| self.matches_at(at, pattern))
    }

    /// Whether `pattern`, separated by spaces, stands at a position.
    pub(super) fn matches_at(&self, at: usize, pattern: &str) -> bool {
        let mut tokens = self.tokens.iter().skip(at);
        pattern
            .split(' ')
            .all(|part| tokens.next().is_some_and(|token| token.kind.is(part)))
    }
}

impl TokenKind {
    fn is(&self, part: &str) -> bool {
        match self {
            Self::Word(word) => word == part,
            Self::Punctuation(character) => part.strip_prefix(*character) == Some(""),
            Self::Text(_) | Self::Literal => false,
        }
    }
}

/// Whether a whole file is tests, benchmarks of tests left out.
fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| part == "tests") || path.ends_with("/tests.rs")
}

#[derive(Default)]
struct Flattening {
    tokens: Vec<Token>,
    test_lines: usize,
}

impl Flattening {
    fn stream(&mut self, stream: TokenStream, in_test: bool, in_attribute: bool) {
        let mut trees = stream.into_iter().peekable();
        let mut item_is_test = false;
        while let Some(tree) = trees.next() {
            if is_char(&tree, '#') {
                if let Some(attribute) = take_attribute(&mut trees) {
                    self.attribute(&attribute, in_test, &mut item_is_test);
                    continue;
                }
            }
            let ends_item = match &tree {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                other => is_char(other, ';') || is_char(other, ','),
            };
            if let (TokenTree::Group(group), true, false) = (&tree, item_is_test, in_test) {
                if ends_item {
                    let lines = group.span().end().line - group.span().start().line;
                    self.test_lines += lines + 1;
                }
            }
            self.tree(tree, in_test || item_is_test, in_attribute);
            if ends_item {
                item_is_test = false;
            }
        }
    }

    fn attribute(&mut self, attribute: &Group, in_test: bool, item_is_test: &mut bool) {
        let words: Vec<String> = words(attribute.stream());
        let first = words.first().map(String::as_str);
        if first == Some("doc") {
            return;
        }
        let has = |word: &str| words.iter().any(|other| other == word);
        *item_is_test |= match first {
            Some("cfg") => has("test") && !has("not"),
            Some(_) => {
                words.last().is_some_and(|last| last == "test") || has("tokio") && has("test")
            }
            None => false,
        };
        self.push(
            TokenKind::Punctuation('#'),
            attribute.span().start().line,
            in_test,
            true,
        );
        self.tree(
            TokenTree::Group(attribute.clone()),
            in_test || *item_is_test,
            true,
        );
    }

    fn tree(&mut self, tree: TokenTree, in_test: bool, in_attribute: bool) {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(word) => {
                self.push(
                    TokenKind::Word(word.to_string()),
                    line,
                    in_test,
                    in_attribute,
                );
            }
            TokenTree::Punct(punctuation) => {
                let kind = TokenKind::Punctuation(punctuation.as_char());
                self.push(kind, line, in_test, in_attribute);
            }
            TokenTree::Literal(literal) => {
                let kind =
                    text_of(&literal.to_string()).map_or(TokenKind::Literal, TokenKind::Text);
                self.push(kind, line, in_test, in_attribute);
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::None => (' ', ' '),
                };
                self.push(TokenKind::Punctuation(open), line, in_test, in_attribute);
                let end = group.span().end().line;
                self.stream(group.stream(), in_test, in_attribute);
                self.push(TokenKind::Punctuation(close), end, in_test, in_attribute);
            }
        }
    }

    fn push(&mut self, kind: TokenKind, line: usize, in_test: bool, in_attribute: bool) {
        self.tokens.push(Token {
            kind,
            line,
            in_test,
            in_attribute,
        });
    }
}

fn is_char(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punctuation) if punctuation.as_char() == character)
}

/// The bracketed part of an attribute whose `#` was just read; an inner attribute's `!` is skipped.
fn take_attribute(
    trees: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
) -> Option<Group> {
    if trees.peek().is_some_and(|tree| is_char(tree, '!')) {
        trees.next();
    }
    match trees.peek() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            let group = group.clone();
            trees.next();
            Some(group)
        }
        _ => None,
    }
}

fn words(stream: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for tree in stream {
        match tree {
            TokenTree::Ident(word) => found.push(word.to_string()),
            TokenTree::Group(group) => found.extend(words(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// The text between the quotes of a string, byte string or raw string.
fn text_of(literal: &str) -> Option<String> {
    let start = literal.find('"')?;
    let prefix = &literal[..start];
    if !prefix
        .chars()
        .all(|character| matches!(character, 'b' | 'c' | 'r' | '#'))
    {
        return None;
    }
    let text = literal[start + 1..]
        .trim_end_matches('#')
        .strip_suffix('"')?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Source {
        Source::parse("crates/a/src/a.rs", text).unwrap()
    }

    fn texts(source: &Source, in_test: bool) -> Vec<&str> {
        let tokens = source
            .tokens
            .iter()
            .filter(|token| token.in_test == in_test);
        tokens
            .filter_map(|token| match &token.kind {
                TokenKind::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn documentation_and_comments_are_not_code() {
        let source = parse("//! \"one\"\n/// \"two\"\n// \"three\"\nconst A: &str = \"four\";\n");
        assert_eq!(texts(&source, false), ["four"]);
    }

    #[test]
    fn test_modules_and_test_functions_are_tests_and_what_follows_is_not() {
        let source = parse(
            "#[cfg(test)]\nmod tests { const A: &str = \"a\"; }\nconst B: &str = \"b\";\n\
             #[test]\nfn c() { d(\"c\") }\n#[cfg(not(test))]\nconst D: &str = \"d\";\n\
             #[tokio::test(flavor = \"f\")]\nasync fn e() { f(\"e\") }\n#[cfg(test)]\nmod tests;\nconst G: &str = \"g\";",
        );
        assert_eq!(texts(&source, false), ["b", "d", "g"]);
        assert_eq!(texts(&source, true), ["a", "c", "f", "e"]);
    }

    #[test]
    fn every_file_under_tests_is_tests() {
        for path in ["crates/a/tests/it/b.rs", "crates/a/src/b/tests.rs"] {
            let source = Source::parse(path, "const A: &str = \"a\";").unwrap();
            assert_eq!(texts(&source, true), ["a"], "{path}");
        }
    }

    #[test]
    fn raw_and_byte_strings_are_texts_and_characters_are_not() {
        let source = parse("const A: B = (\"a\", r#\"b\"#, b\"c\", '\"', 1);");
        assert_eq!(texts(&source, false), ["a", "b", "c"]);
    }

    #[test]
    fn lines_of_inline_test_modules_are_counted() {
        let source = parse("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n");
        assert_eq!((source.lines, source.test_lines), (6, 3));
    }
}
