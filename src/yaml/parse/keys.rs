//! Keys of maps while they are read: their hashes, merges, and the second of two.

use super::{Builder, Error, ErrorKind, Kind, NONE, NodeId, RawNode, flag, key_hash, short_hash};

/// From how many keys on they are looked up by hash.
const MANY_KEYS: usize = 16;

impl Builder {
    pub(super) fn check_key(&mut self, map: u32, id: u32, raw: RawNode) {
        match raw.kind {
            Kind::Map | Kind::Seq => {
                let message = "a map or a list stands where a key is expected";
                let start = raw.start as usize;
                let first = self.tree.text[start..].chars().next().map_or(0, char::len_utf8);
                self.error(ErrorKind::ComplexKey, start, start + first, message);
                return;
            }
            Kind::Alias | Kind::Scalar => {}
        }
        let key = self.tree.node(NodeId(id));
        let text = key.text().unwrap_or("");
        let hash = key_hash(text);
        if let Some(document) = &mut self.document {
            document.keys.insert(hash);
        }
        if raw.kind == Kind::Alias {
            self.tree.nodes[id as usize].hash = short_hash(hash);
            return;
        }
        let merges = text == "<<" && key.is_plain();
        let twin = if merges { None } else { self.twin(map, id, text, hash) };
        if let Some(first) = twin.map(|first| self.tree.node(NodeId(first)).span()) {
            let message = format!("key \"{text}\" stands twice");
            let span = key.span();
            self.tree.errors.push(Error { kind: ErrorKind::DuplicateKey(first), span, message });
        }
        self.tree.nodes[id as usize].hash = short_hash(hash);
        if merges {
            self.tree.nodes[map as usize].flags |= flag::MERGE;
        }
        let Some(open) = self.stack.last_mut() else { return };
        open.keys += 1;
        if open.keys == MANY_KEYS {
            let earlier: Vec<u32> = self.scalar_keys(map, NONE).collect();
            let hashed: Vec<_> = earlier.into_iter().map(|key| (key_hash(self.key_text(key)), key)).collect();
            let Some(open) = self.stack.last_mut() else { return };
            for (hash, key) in hashed {
                open.many.entry(hash).or_default().push(key);
            }
        } else if open.keys > MANY_KEYS && twin.is_none() {
            open.many.entry(hash).or_default().push(id);
        }
    }

    /// The first key of a map with a text, before `id`.
    fn twin(&self, map: u32, id: u32, text: &str, hash: u32) -> Option<u32> {
        let same =
            |other: u32| self.key_text(other) == text && !(text == "<<" && self.tree.node(NodeId(other)).is_plain());
        let open = self.stack.last()?;
        if open.keys < MANY_KEYS {
            let kept = short_hash(hash);
            return self.scalar_keys(map, id).find(|key| self.tree.nodes[*key as usize].hash == kept && same(*key));
        }
        open.many.get(&hash)?.iter().copied().find(|key| same(*key))
    }

    /// The keys of a map that are scalars, up to `end`.
    fn scalar_keys(&self, map: u32, end: u32) -> impl Iterator<Item = u32> {
        let nodes = &self.tree.nodes;
        let after = move |id: u32| nodes.get(id as usize).map_or(NONE, |node| node.next);
        let keys = std::iter::successors(Some(nodes[map as usize].data), move |key| Some(after(after(*key))));
        keys.take_while(move |key| *key != end && *key != NONE).filter(|key| nodes[*key as usize].kind == Kind::Scalar)
    }

    fn key_text(&self, key: u32) -> &str {
        self.tree.node(NodeId(key)).text().unwrap_or("")
    }
}
