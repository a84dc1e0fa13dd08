//! Turns the events of a YAML text into its values, which aliases share.

use std::collections::HashMap;

use super::{
    Fault, Place, YamlFault,
    parser::{Event, Parser, Properties},
    scalar::Value,
};

/// The values of a document.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    root: usize,
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
}

/// The content of a value. Other values are named by their index.
#[derive(Debug)]
pub(super) enum Content {
    Scalar(Value),
    Sequence(Vec<usize>),
    Mapping(Vec<(String, usize)>),
    /// The keys of a mapping whose values do not matter.
    Set(Vec<(String, usize)>),
}

impl Graph {
    pub(super) fn root(&self) -> usize {
        self.root
    }

    pub(super) fn get(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }
}

/// A collection whose end has not come yet.
struct Open {
    index: usize,
    kind: Collection,
    items: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Collection {
    Sequence,
    /// A list of mappings with one member each.
    Pairs,
    Mapping,
    Set,
}

/// How many bytes the members may take that are merged into other mappings.
const MAX_MERGED: usize = 16 << 20;

/// The bytes of a member beside its name.
const MEMBER_BYTES: usize = 64;

/// Reads the only document of a text. A text without a document is nothing.
pub(super) fn compose(text: &str) -> Result<Graph, Fault> {
    let mut parser = Parser::new(text)?;
    let (event, place) = parser.next()?;
    let mut composer = Composer::default();
    if let Event::StreamEnd = event {
        composer.graph.root = composer.add(place, Content::Scalar(Value::Null));
        return Ok(composer.graph);
    }
    loop {
        let (event, place) = parser.next()?;
        if let Event::DocumentEnd = event {
            break;
        }
        composer.event(event, place)?;
    }
    composer.check_value(composer.graph.root);
    match (parser.next()?, composer.fault) {
        ((Event::StreamEnd, _), None) => Ok(composer.graph),
        ((Event::StreamEnd, _), Some(fault)) => Err(fault),
        ((_, place), _) => Err(Fault::new(place, YamlFault::SecondDocument)),
    }
}

#[derive(Default)]
struct Composer<'t> {
    graph: Graph,
    /// The value of each anchor, and whether it is complete.
    anchors: HashMap<&'t str, usize>,
    is_complete: Vec<bool>,
    open: Vec<Open>,
    merged: usize,
    /// The first value of those that are YAML and mean nothing. The text may break a rule further on, and
    /// that would matter more.
    fault: Option<Fault>,
}

impl<'t> Composer<'t> {
    fn add(&mut self, place: Place, content: Content) -> usize {
        self.graph.nodes.push(Node { place, content });
        self.is_complete.push(true);
        self.graph.nodes.len() - 1
    }

    fn event(&mut self, event: Event<'t>, place: Place) -> Result<(), Fault> {
        match event {
            Event::Alias(name) => {
                let found = self.anchors.get(name).copied();
                let is_complete = |index: &usize| self.is_complete.get(*index) == Some(&true);
                let fault = Fault::new(place, YamlFault::Alias);
                let index = found.filter(is_complete).ok_or(fault)?;
                self.item(index);
            }
            Event::Scalar(properties, scalar) => {
                let is_plain = properties.is_plain || scalar.is_plain;
                let value = Value::read(scalar.text, is_plain, properties.tag.as_deref());
                if value.is_none() {
                    self.note(place, YamlFault::Tag);
                }
                let index = self.add(place, Content::Scalar(value.unwrap_or(Value::Null)));
                self.name(&properties, index, place)?;
                self.item(index);
            }
            Event::SequenceStart(properties) => {
                let kind = match tag_of(&properties) {
                    None | Some("seq") => Collection::Sequence,
                    Some("omap" | "pairs") => Collection::Pairs,
                    Some(_) => {
                        self.note(place, YamlFault::Tag);
                        Collection::Sequence
                    }
                };
                self.begin(&properties, kind, place)?;
            }
            Event::MappingStart(properties) => {
                let kind = match tag_of(&properties) {
                    None | Some("map") => Collection::Mapping,
                    Some("set") => Collection::Set,
                    Some(_) => {
                        self.note(place, YamlFault::Tag);
                        Collection::Mapping
                    }
                };
                self.begin(&properties, kind, place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::StreamEnd | Event::DocumentStart | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Notes the anchor of a value.
    fn name(
        &mut self,
        properties: &Properties<'t>,
        index: usize,
        place: Place,
    ) -> Result<(), Fault> {
        let Some(anchor) = properties.anchor else {
            return Ok(());
        };
        match self.anchors.insert(anchor, index) {
            Some(_) => Err(Fault::new(place, YamlFault::Alias)),
            None => Ok(()),
        }
    }

    fn begin(
        &mut self,
        properties: &Properties<'t>,
        kind: Collection,
        place: Place,
    ) -> Result<(), Fault> {
        let index = self.add(place, Content::Sequence(Vec::new()));
        if let Some(is_complete) = self.is_complete.last_mut() {
            *is_complete = false;
        }
        self.name(properties, index, place)?;
        self.open.push(Open {
            index,
            kind,
            items: Vec::new(),
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { index, kind, items }) = self.open.pop() else {
            return Ok(());
        };
        let values: &mut dyn Iterator<Item = &usize> = match kind {
            Collection::Mapping | Collection::Set => &mut items.iter().skip(1).step_by(2),
            Collection::Pairs | Collection::Sequence => &mut items.iter(),
        };
        for value in values {
            self.check_value(*value);
        }
        let content = match kind {
            Collection::Mapping => Content::Mapping(self.members(&items)?),
            Collection::Set => Content::Set(self.members(&items)?),
            Collection::Pairs => Content::Sequence(self.pairs(&items)),
            Collection::Sequence => Content::Sequence(items),
        };
        if let Some(node) = self.graph.nodes.get_mut(index) {
            node.content = content;
        }
        if let Some(is_complete) = self.is_complete.get_mut(index) {
            *is_complete = true;
        }
        self.item(index);
        Ok(())
    }

    /// Notes a value that means nothing.
    fn note(&mut self, place: Place, fault: YamlFault) {
        self.fault.get_or_insert(Fault::new(place, fault));
    }

    /// Notes a value that only means something as a key.
    fn check_value(&mut self, index: usize) {
        let Some(node) = self.graph.get(index) else {
            return;
        };
        if let Content::Scalar(Value::Merge | Value::Equals) = node.content {
            self.note(node.place, YamlFault::Tag);
        }
    }

    /// Mappings with one member each as lists of a key and a value.
    fn pairs(&mut self, items: &[usize]) -> Vec<usize> {
        let mut pairs = Vec::new();
        for item in items {
            let Some(node) = self.graph.get(*item) else {
                continue;
            };
            let place = node.place;
            let Content::Mapping(members) = &node.content else {
                self.note(place, YamlFault::Tag);
                continue;
            };
            let [(name, value)] = members.as_slice() else {
                self.note(place, YamlFault::Tag);
                continue;
            };
            let (name, value) = (name.clone(), *value);
            let key = self.add(place, Content::Scalar(Value::Text(name)));
            pairs.push(self.add(place, Content::Sequence(vec![key, value])));
        }
        pairs
    }

    /// The members of a mapping, whose items are keys and values, with those of the mappings under `<<`.
    ///
    /// Of a name that is said twice, the last member counts. What the mapping says itself counts more than
    /// what is merged.
    fn members(&mut self, items: &[usize]) -> Result<Vec<(String, usize)>, Fault> {
        let mut members = Members::default();
        for pair in items.chunks_exact(2) {
            if let [key, value] = pair {
                if let Some(Content::Scalar(Value::Merge)) = self.content(*key) {
                    self.merge(*value, &mut members)?;
                }
            }
        }
        for pair in items.chunks_exact(2) {
            let [key, value] = pair else {
                continue;
            };
            let Some(node) = self.graph.get(*key) else {
                continue;
            };
            match &node.content {
                Content::Scalar(Value::Merge) => {}
                Content::Scalar(scalar) => members.add(scalar.name(), *value),
                _ => self.note(node.place, YamlFault::Key),
            }
        }
        Ok(members.all)
    }

    fn content(&self, index: usize) -> Option<&Content> {
        self.graph.get(index).map(|node| &node.content)
    }

    /// Adds the members of a mapping, or of a list of mappings, of which the first counts most.
    fn merge(&mut self, index: usize, members: &mut Members) -> Result<(), Fault> {
        let Some(node) = self.graph.get(index) else {
            return Ok(());
        };
        let place = node.place;
        let all = match &node.content {
            Content::Sequence(items) => items.as_slice(),
            _ => &[index][..],
        };
        // The first that cannot be merged.
        let mut wrong = None;
        for item in all.iter().rev() {
            let node = self.graph.get(*item);
            match node.map(|node| &node.content) {
                Some(Content::Mapping(pairs) | Content::Set(pairs)) => {
                    for (name, value) in pairs {
                        self.merged += name.len() + MEMBER_BYTES;
                        members.add(name.clone(), *value);
                    }
                }
                _ => wrong = Some(node.map_or(place, |node| node.place)),
            }
        }
        if self.merged > MAX_MERGED {
            return Err(Fault::new(place, YamlFault::TooLarge));
        }
        if let Some(place) = wrong {
            self.note(place, YamlFault::Tag);
        }
        Ok(())
    }

    /// Puts a value into the collection around it.
    fn item(&mut self, index: usize) {
        match self.open.last_mut() {
            Some(open) => open.items.push(index),
            None => self.graph.root = index,
        }
    }
}

/// The name of a tag of YAML, or the whole of another one.
fn tag_of<'p>(properties: &'p Properties<'_>) -> Option<&'p str> {
    let tag = properties.tag.as_deref()?;
    Some(tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag))
}

/// Members by their names, in order.
#[derive(Default)]
struct Members {
    all: Vec<(String, usize)>,
    places: HashMap<String, usize>,
}

impl Members {
    fn add(&mut self, name: String, value: usize) {
        let known = self.places.get(&name).copied();
        match known.and_then(|place| self.all.get_mut(place)) {
            Some((_, slot)) => *slot = value,
            None => {
                self.places.insert(name.clone(), self.all.len());
                self.all.push((name, value));
            }
        }
    }
}
