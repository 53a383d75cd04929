//! Reviews that are almost right: a real one, changed here and there.

use bolero::TypeGenerator;
use serde_json::{Map, Value, json};

/// How to spoil a review.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Recipe {
    /// Which review to begin with.
    pub seed: u16,
    /// What to do to it.
    pub changes: [Option<Change>; 4],
    /// What to do to its text.
    pub scratch: Option<Scratch>,
}

/// A change of one value.
#[derive(Clone, Debug, TypeGenerator)]
pub struct Change {
    /// Only values below the specifications are looked at.
    inside: bool,
    /// Which value.
    at: u16,
    act: Act,
}

#[derive(Clone, Debug, TypeGenerator)]
enum Act {
    Replace(Nasty),
    Remove,
    Rename(Word),
    Insert(Word, Nasty),
    /// Another value of the same review.
    Copy(u16),
    Wrap(u8),
    Repeat(u8),
}

/// A change of bytes.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Scratch {
    Cut(u16),
    Flip(u16, u8),
    Twice(u16, u8),
}

/// Values that somebody might write.
#[derive(Clone, Debug, TypeGenerator)]
enum Nasty {
    Null,
    Bool(bool),
    Integer(i64),
    Float(u64),
    Word(Word),
    Text(Vec<char>),
    Long(u16),
    List(Vec<Word>),
    Map(Vec<(Word, Word)>),
    Deep(u8),
}

/// Texts that mean something to the service or to a parser.
#[derive(Clone, Copy, Debug, TypeGenerator)]
struct Word(u8);

const WORDS: [&str; 56] = [
    "",
    " ",
    "uid",
    "kind",
    "metadata",
    "name",
    "generateName",
    "spec",
    "status",
    "type",
    "Postgresql",
    "MySQL",
    "version",
    "12",
    "12.22",
    "8.4",
    "18",
    "99",
    "size",
    "10GB",
    "20Gi",
    "1e1GB",
    "-5GB",
    "1e400GB",
    "999999999999999999999Gi",
    "masteruser",
    "sysadmin",
    "master",
    "public",
    "users",
    "databases",
    "app",
    "report",
    "createdb",
    "NOCREATEDB",
    "superuser",
    "backup",
    "every",
    "24h",
    "retention",
    "7d",
    "99999999999w",
    "className",
    "instanceClass",
    "deletionPolicy",
    "deletionProtection",
    "paused",
    "deletionTimestamp",
    "annotations",
    "kubectl.kubernetes.io/last-applied-configuration",
    "CREATE",
    "UPDATE",
    "DELETE",
    "a/b~c",
    "ä\u{202e}\u{0}\n\"\\",
    "{\"spec\":{\"users\":{\"app\":null}}}",
];

impl Word {
    fn text(self) -> String {
        WORDS[usize::from(self.0) % WORDS.len()].to_owned()
    }
}

impl Nasty {
    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => json!(bool),
            Self::Integer(number) => json!(number),
            // Not every float is a number of JSON; what is none becomes null.
            Self::Float(bits) => json!(f64::from_bits(*bits)),
            Self::Word(word) => json!(word.text()),
            Self::Text(chars) => json!(chars.iter().collect::<String>()),
            Self::Long(length) => json!("x".repeat(usize::from(*length))),
            Self::List(words) => words.iter().map(|word| word.text()).collect(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| (key.text(), json!(value.text()))).collect(),
            Self::Deep(levels) => (0..*levels).fold(Value::Null, |inner, _| json!([inner])),
        }
    }
}

impl Recipe {
    /// The body that comes out.
    pub fn body(&self, seeds: &[Value]) -> Vec<u8> {
        let mut review = seeds[usize::from(self.seed) % seeds.len()].clone();
        for change in self.changes.iter().flatten() {
            change.make(&mut review);
        }
        let mut bytes = review.to_string().into_bytes();
        let place = |at: u16, length: usize| usize::from(at) % length.max(1);
        match self.scratch {
            None => {}
            Some(Scratch::Cut(at)) => bytes.truncate(place(at, bytes.len())),
            Some(Scratch::Flip(at, bits)) => {
                let place = place(at, bytes.len());
                bytes[place] ^= bits;
            }
            Some(Scratch::Twice(at, length)) => {
                let from = place(at, bytes.len());
                let to = (from + usize::from(length)).min(bytes.len());
                let piece = bytes[from..to].to_vec();
                bytes.splice(to..to, piece);
            }
        }
        bytes
    }
}

impl Change {
    fn make(&self, review: &mut Value) {
        let mut paths = Vec::new();
        walk(review, String::new(), &mut paths);
        let inside =
            |path: &String| path.starts_with("/request/object/spec") || path.starts_with("/request/oldObject/spec");
        if self.inside && paths.iter().any(inside) {
            paths.retain(inside);
        }
        let path = &paths[usize::from(self.at) % paths.len()];
        let copied = |from: u16| review.pointer(&paths[usize::from(from) % paths.len()]).cloned().unwrap_or_default();
        match &self.act {
            Act::Replace(value) => put(review, path, value.value()),
            Act::Copy(from) => {
                let value = copied(*from);
                put(review, path, value);
            }
            Act::Wrap(levels) => {
                let inner = review.pointer(path).cloned().unwrap_or_default();
                put(review, path, (0..levels % 4).fold(inner, |inner, _| json!([inner])));
            }
            Act::Repeat(times) => {
                let item = review.pointer(path).cloned().unwrap_or_default();
                put(review, path, Value::Array(vec![item; usize::from(*times % 24)]));
            }
            Act::Insert(key, value) => match review.pointer_mut(path) {
                Some(Value::Object(map)) => drop(map.insert(key.text(), value.value())),
                Some(Value::Array(list)) => list.push(value.value()),
                _ => {}
            },
            Act::Remove => drop(taken(review, path)),
            Act::Rename(key) => {
                if let Some((map, value)) = taken(review, path) {
                    map.insert(key.text(), value);
                }
            }
        }
    }
}

/// Pointers to all values, the outermost first.
fn walk(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                walk(value, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), paths);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, format!("{path}/{index}"), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}

fn put(review: &mut Value, path: &str, value: Value) {
    if let Some(place) = review.pointer_mut(path) {
        *place = value;
    }
}

/// Takes an entry out of its map, and gives both.
fn taken<'a>(review: &'a mut Value, path: &str) -> Option<(&'a mut Map<String, Value>, Value)> {
    let (parent, key) = path.rsplit_once('/')?;
    let map = review.pointer_mut(parent)?.as_object_mut()?;
    let value = map.remove(&key.replace("~1", "/").replace("~0", "~"))?;
    Some((map, value))
}
