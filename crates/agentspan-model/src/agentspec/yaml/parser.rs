//! Turns the tokens of a YAML text into events, which nest like the values of the text.

use std::collections::HashMap;

use super::{
    Fault, Place,
    scanner::Scanner,
    tokens::{Kind, Scalar, Tag, Token},
};

#[derive(Debug)]
pub(super) enum Event<'t> {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(&'t str),
    Scalar(Properties<'t>, Scalar),
    SequenceStart(Properties<'t>),
    SequenceEnd,
    MappingStart(Properties<'t>),
    MappingEnd,
}

/// The properties before a value.
#[derive(Debug, Default)]
pub(super) struct Properties<'t> {
    pub(super) anchor: Option<&'t str>,
    /// A tag in full, unless there is none or only an exclamation mark.
    pub(super) tag: Option<String>,
    /// Whether a text counts as one without quotes, whatever it has: a lone exclamation mark says so.
    pub(super) is_plain: bool,
}

/// The state of the parser, which decides what comes next.
#[derive(Clone, Copy, Debug)]
enum State {
    ImplicitDocument,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockSequence,
    IndentlessSequence,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequence(Position),
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingKey(Position),
    FlowMappingValue,
    FlowMappingNoValue,
    End,
}

/// Where in a flow collection something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    First,
    Later,
}

/// Which values may stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Flow,
    Block,
    /// A block, or a list that is indented no more than the mapping around it.
    BlockOrIndentless,
}

#[derive(Debug)]
pub(super) struct Parser<'t> {
    scanner: Scanner<'t>,
    state: State,
    states: Vec<State>,
    handles: HashMap<&'t str, String>,
}

type Found<'t> = Result<(Event<'t>, Place), Fault>;

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, Fault> {
        Ok(Self {
            scanner: Scanner::new(text)?,
            state: State::ImplicitDocument,
            states: Vec::new(),
            handles: HashMap::new(),
        })
    }

    /// The next event, and where it begins.
    pub(super) fn next(&mut self) -> Found<'t> {
        match self.state {
            State::ImplicitDocument => self.implicit_document(),
            State::Document => self.document(),
            State::DocumentContent => {
                let ends = self.next_is(|kind| {
                    matches!(
                        kind,
                        Kind::Version(_)
                            | Kind::TagDirective(..)
                            | Kind::OtherDirective
                            | Kind::DocumentStart
                            | Kind::DocumentEnd
                            | Kind::StreamEnd
                    )
                })?;
                self.node_unless(ends, Style::Block)
            }
            State::DocumentEnd => {
                let place = self.scanner.peek()?.place;
                if self.next_is(|kind| matches!(kind, Kind::DocumentEnd))? {
                    self.scanner.take()?;
                }
                self.state = State::Document;
                Ok((Event::DocumentEnd, place))
            }
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequence(position) => self.flow_sequence(position),
            State::FlowPairKey => {
                let ends = self.next_is(|kind| {
                    matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd)
                })?;
                self.state = State::FlowPairValue;
                self.node_then(ends, Style::Flow)
            }
            State::FlowPairValue => {
                self.state = State::FlowPairEnd;
                self.value(Style::Flow, |kind| {
                    matches!(kind, Kind::FlowEntry | Kind::FlowSequenceEnd)
                })
            }
            State::FlowPairEnd => {
                self.state = State::FlowSequence(Position::Later);
                Ok((Event::MappingEnd, self.scanner.peek()?.place))
            }
            State::FlowMappingKey(position) => self.flow_mapping_key(position),
            State::FlowMappingValue => {
                self.state = State::FlowMappingKey(Position::Later);
                self.value(Style::Flow, |kind| {
                    matches!(kind, Kind::FlowEntry | Kind::FlowMappingEnd)
                })
            }
            State::FlowMappingNoValue => {
                self.state = State::FlowMappingKey(Position::Later);
                self.nothing()
            }
            State::End => Ok((Event::StreamEnd, self.scanner.peek()?.place)),
        }
    }

    fn next_is(&mut self, matches: impl Fn(&Kind<'t>) -> bool) -> Result<bool, Fault> {
        Ok(matches(&self.scanner.peek()?.kind))
    }

    /// Goes back to what is around.
    fn leave(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// An empty text where a value could stand.
    fn nothing(&mut self) -> Found<'t> {
        let place = self.scanner.peek()?.place;
        let scalar = Scalar {
            text: String::new(),
            is_plain: true,
        };
        Ok((Event::Scalar(Properties::default(), scalar), place))
    }

    /// A value, or nothing, and after that what is around.
    fn node_unless(&mut self, is_missing: bool, style: Style) -> Found<'t> {
        if is_missing {
            self.leave();
            return self.nothing();
        }
        self.node(style)
    }

    /// A value, or nothing, and after that the state.
    fn node_then(&mut self, is_missing: bool, style: Style) -> Found<'t> {
        if is_missing {
            return self.nothing();
        }
        self.states.push(self.state);
        self.node(style)
    }

    /// The value of a key, if there is one.
    fn value(&mut self, style: Style, ends: impl Fn(&Kind<'t>) -> bool) -> Found<'t> {
        if !self.next_is(|kind| matches!(kind, Kind::Value))? {
            return self.nothing();
        }
        self.scanner.take()?;
        let is_missing = self.next_is(ends)?;
        self.node_then(is_missing, style)
    }

    fn implicit_document(&mut self) -> Found<'t> {
        let is_explicit = self.next_is(|kind| {
            matches!(
                kind,
                Kind::Version(_)
                    | Kind::TagDirective(..)
                    | Kind::OtherDirective
                    | Kind::DocumentStart
                    | Kind::StreamEnd
            )
        })?;
        if is_explicit {
            return self.document();
        }
        let place = self.scanner.peek()?.place;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok((Event::DocumentStart, place))
    }

    fn document(&mut self) -> Found<'t> {
        while self.next_is(|kind| matches!(kind, Kind::DocumentEnd))? {
            self.scanner.take()?;
        }
        let place = self.scanner.peek()?.place;
        if self.next_is(|kind| matches!(kind, Kind::StreamEnd))? {
            self.state = State::End;
            return Ok((Event::StreamEnd, place));
        }
        self.directives()?;
        if !self.next_is(|kind| matches!(kind, Kind::DocumentStart))? {
            let place = self.scanner.peek()?.place;
            let what = "something else than the start of a document";
            return Err(Fault::syntax(place, what));
        }
        self.scanner.take()?;
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok((Event::DocumentStart, place))
    }

    fn directives(&mut self) -> Result<(), Fault> {
        self.handles.clear();
        let mut has_version = false;
        while self.next_is(|kind| {
            matches!(
                kind,
                Kind::Version(_) | Kind::TagDirective(..) | Kind::OtherDirective
            )
        })? {
            let Token { kind, place } = self.scanner.take()?;
            match kind {
                Kind::Version(_) if has_version => {
                    return Err(Fault::syntax(place, "a second version of YAML"));
                }
                Kind::Version(1) => has_version = true,
                Kind::Version(_) => {
                    return Err(Fault::syntax(place, "a version of YAML other than 1"));
                }
                Kind::TagDirective(handle, prefix) => {
                    let other = self.handles.insert(handle, prefix);
                    if other.is_some() {
                        return Err(Fault::syntax(place, "a second prefix for a handle"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, style: Style) -> Found<'t> {
        if self.next_is(|kind| matches!(kind, Kind::Alias(_)))? {
            let Token { kind, place } = self.scanner.take()?;
            self.leave();
            let Kind::Alias(name) = kind else {
                return self.nothing();
            };
            return Ok((Event::Alias(name), place));
        }
        let start = self.scanner.peek()?.place;
        let (properties, is_empty) = self.properties()?;
        let place = self.scanner.peek()?.place;
        if style == Style::BlockOrIndentless
            && self.next_is(|kind| matches!(kind, Kind::BlockEntry))?
        {
            self.state = State::IndentlessSequence;
            return Ok((Event::SequenceStart(properties), start));
        }
        let is_block = style != Style::Flow;
        let next = match self.scanner.peek()?.kind {
            Kind::Scalar(_) => {
                let Kind::Scalar(scalar) = self.scanner.take()?.kind else {
                    return self.nothing();
                };
                self.leave();
                return Ok((Event::Scalar(properties, scalar), start));
            }
            Kind::FlowSequenceStart => Some((State::FlowSequence(Position::First), true)),
            Kind::FlowMappingStart => Some((State::FlowMappingKey(Position::First), false)),
            Kind::BlockSequenceStart if is_block => Some((State::BlockSequence, true)),
            Kind::BlockMappingStart if is_block => Some((State::BlockMappingKey, false)),
            _ => None,
        };
        match next {
            Some((state, is_sequence)) => {
                self.scanner.take()?;
                self.state = state;
                let event = if is_sequence {
                    Event::SequenceStart(properties)
                } else {
                    Event::MappingStart(properties)
                };
                Ok((event, start))
            }
            None if !is_empty => {
                self.leave();
                let scalar = Scalar {
                    text: String::new(),
                    is_plain: properties.tag.is_none(),
                };
                Ok((Event::Scalar(properties, scalar), start))
            }
            None => Err(Fault::syntax(place, "something where a value must be")),
        }
    }

    /// The anchor and the tag before a value, in either order, and whether there is neither.
    fn properties(&mut self) -> Result<(Properties<'t>, bool), Fault> {
        let mut properties = Properties::default();
        let mut tag = None;
        loop {
            match &self.scanner.peek()?.kind {
                Kind::Anchor(_) if properties.anchor.is_none() => {
                    if let Kind::Anchor(name) = self.scanner.take()?.kind {
                        properties.anchor = Some(name);
                    }
                }
                Kind::Tag(_) if tag.is_none() => {
                    let Token { kind, place } = self.scanner.take()?;
                    if let Kind::Tag(found) = kind {
                        tag = Some(self.full_tag(found, place)?);
                    }
                }
                _ => break,
            }
        }
        let is_empty = properties.anchor.is_none() && tag.is_none();
        properties.is_plain = tag.as_deref() == Some("!");
        properties.tag = tag.filter(|tag| tag != "!");
        Ok((properties, is_empty))
    }

    fn full_tag(&self, tag: Tag<'t>, place: Place) -> Result<String, Fault> {
        let Some(handle) = tag.handle else {
            return Ok(tag.suffix);
        };
        let prefix = match (self.handles.get(handle), handle) {
            (Some(prefix), _) => prefix,
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            (None, _) => return Err(Fault::syntax(place, "a tag with an unknown handle")),
        };
        Ok(format!("{prefix}{}", tag.suffix))
    }

    fn block_sequence(&mut self) -> Found<'t> {
        let Token { kind, place } = self.scanner.peek()?;
        let place = *place;
        match kind {
            Kind::BlockEntry => {
                self.scanner.take()?;
                let is_missing =
                    self.next_is(|kind| matches!(kind, Kind::BlockEntry | Kind::BlockEnd))?;
                self.node_then(is_missing, Style::Block)
            }
            Kind::BlockEnd => {
                self.scanner.take()?;
                self.leave();
                Ok((Event::SequenceEnd, place))
            }
            _ => Err(Fault::syntax(
                place,
                "something between the items of a list",
            )),
        }
    }

    fn indentless_sequence(&mut self) -> Found<'t> {
        if !self.next_is(|kind| matches!(kind, Kind::BlockEntry))? {
            let place = self.scanner.peek()?.place;
            self.leave();
            return Ok((Event::SequenceEnd, place));
        }
        self.scanner.take()?;
        let is_missing = self.next_is(|kind| {
            matches!(
                kind,
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd
            )
        })?;
        self.node_then(is_missing, Style::Block)
    }

    fn block_mapping_key(&mut self) -> Found<'t> {
        let Token { kind, place } = self.scanner.peek()?;
        let place = *place;
        match kind {
            Kind::Key => {
                self.scanner.take()?;
                self.state = State::BlockMappingValue;
                let is_missing = self.next_is(ends_in_block)?;
                self.node_then(is_missing, Style::BlockOrIndentless)
            }
            Kind::BlockEnd => {
                self.scanner.take()?;
                self.leave();
                Ok((Event::MappingEnd, place))
            }
            _ => Err(Fault::syntax(
                place,
                "something between the members of a mapping",
            )),
        }
    }

    fn block_mapping_value(&mut self) -> Found<'t> {
        self.state = State::BlockMappingKey;
        self.value(Style::BlockOrIndentless, ends_in_block)
    }

    fn flow_sequence(&mut self, position: Position) -> Found<'t> {
        if !self.next_is(|kind| matches!(kind, Kind::FlowSequenceEnd))? {
            self.separator(position, "no comma between the items of a list")?;
            if self.next_is(|kind| matches!(kind, Kind::Key))? {
                let place = self.scanner.take()?.place;
                self.state = State::FlowPairKey;
                return Ok((Event::MappingStart(Properties::default()), place));
            }
            if !self.next_is(|kind| matches!(kind, Kind::FlowSequenceEnd))? {
                self.state = State::FlowSequence(Position::Later);
                return self.node_then(false, Style::Flow);
            }
        }
        let place = self.scanner.take()?.place;
        self.leave();
        Ok((Event::SequenceEnd, place))
    }

    fn flow_mapping_key(&mut self, position: Position) -> Found<'t> {
        if !self.next_is(|kind| matches!(kind, Kind::FlowMappingEnd))? {
            self.separator(position, "no comma between the members of a mapping")?;
            if self.next_is(|kind| matches!(kind, Kind::Key))? {
                self.scanner.take()?;
                self.state = State::FlowMappingValue;
                let is_missing = self.next_is(|kind| {
                    matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd)
                })?;
                return self.node_then(is_missing, Style::Flow);
            }
            if !self.next_is(|kind| matches!(kind, Kind::FlowMappingEnd))? {
                self.state = State::FlowMappingNoValue;
                return self.node_then(false, Style::Flow);
            }
        }
        let place = self.scanner.take()?.place;
        self.leave();
        Ok((Event::MappingEnd, place))
    }

    /// Passes the comma before all items but the first.
    fn separator(&mut self, position: Position, otherwise: &'static str) -> Result<(), Fault> {
        if position == Position::First {
            return Ok(());
        }
        let place = self.scanner.peek()?.place;
        if !self.next_is(|kind| matches!(kind, Kind::FlowEntry))? {
            return Err(Fault::syntax(place, otherwise));
        }
        self.scanner.take()?;
        Ok(())
    }
}

fn ends_in_block(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::Key | Kind::Value | Kind::BlockEnd)
}
