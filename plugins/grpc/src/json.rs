//! Messages as the JSON of protobuf, part by part: a message of many small ones is never in memory as a tree, which
//! takes hundreds of bytes for each, and can be converted in portions, since the processor time of one call of a plugin
//! is limited.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions};
use serde_json::value::RawValue;

/// The deepest that messages may be nested, as in prost.
const DEEPEST: u8 = 100;

/// The most bytes of a message as JSON.
const LONGEST: usize = 4 << 20;

/// The most occurrences of fields in one message, all of which are looked at in one go.
const MOST_OCCURRENCES: usize = 200_000;

/// Values of a list, or entries of a map, that are converted at once.
const AT_ONCE: usize = 200;

/// Units of work after which [`Conversion::advance`] returns. A message is one, and so is every hundred bytes.
const PORTION: usize = 500;

/// The reason why a message is not converted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It does not fit its descriptor.
    Malformed,
    /// It is longer as JSON than is kept.
    TooLong,
}

/// A message that is being converted.
pub(crate) struct Conversion {
    text: Vec<u8>,
    /// The parts that are left to be written, the next one last.
    left: Vec<Part>,
    /// Units of work done.
    done: usize,
}

/// A part of the text.
enum Part {
    Text(String),
    Message {
        bytes: Bytes,
        descriptor: MessageDescriptor,
        depth: u8,
    },
    /// Messages of a list, in reverse order.
    Messages {
        items: Vec<Bytes>,
        descriptor: MessageDescriptor,
        depth: u8,
        is_first: bool,
    },
    /// Pieces of a list of plain values, or of a map, each a message with this field alone, in reverse order.
    Pieces {
        pieces: Vec<Bytes>,
        field: FieldDescriptor,
        is_first: bool,
    },
}

impl Conversion {
    /// Begins to convert a message.
    pub(crate) fn new(message: Bytes, descriptor: MessageDescriptor) -> Self {
        Self { text: Vec::new(), left: vec![Part::Message { bytes: message, descriptor, depth: 0 }], done: 0 }
    }

    /// Converts a portion. Returns the text when it is complete.
    ///
    /// # Errors
    /// The message does not fit its descriptor, or is too long.
    pub(crate) fn advance(&mut self) -> Result<Option<String>, Problem> {
        let until = self.done + PORTION;
        while let Some(part) = self.left.pop() {
            let before = self.text.len();
            self.write(part)?;
            self.done += 1 + (self.text.len() - before) / 100;
            if self.text.len() > LONGEST {
                return Err(Problem::TooLong);
            }
            if self.done >= until && !self.left.is_empty() {
                return Ok(None);
            }
        }
        String::from_utf8(std::mem::take(&mut self.text)).map(Some).map_err(|_| Problem::Malformed)
    }

    fn write(&mut self, part: Part) -> Result<(), Problem> {
        match part {
            Part::Text(text) => self.text.extend_from_slice(text.as_bytes()),
            Part::Message { bytes, descriptor, depth } => self.write_message(bytes, &descriptor, depth)?,
            Part::Messages { mut items, descriptor, depth, is_first } => {
                let Some(bytes) = items.pop() else { return Ok(()) };
                if !is_first {
                    self.text.push(b',');
                }
                let item = Part::Message { bytes, descriptor: descriptor.clone(), depth };
                self.left.push(Part::Messages { items, descriptor, depth, is_first: false });
                self.left.push(item);
            }
            Part::Pieces { mut pieces, field, is_first } => {
                let Some(piece) = pieces.pop() else { return Ok(()) };
                let values = values_of(piece, &field)?;
                if !is_first && !values.is_empty() {
                    self.text.push(b',');
                }
                self.text.extend_from_slice(values.as_bytes());
                let is_first = is_first && values.is_empty();
                self.left.push(Part::Pieces { pieces, field, is_first });
            }
        }
        Ok(())
    }

    /// Writes a message, or notes its parts.
    fn write_message(&mut self, bytes: Bytes, descriptor: &MessageDescriptor, depth: u8) -> Result<(), Problem> {
        if depth > DEEPEST {
            return Err(Problem::Malformed);
        }
        // Those of protobuf itself, such as `Timestamp`, have texts of their own.
        if descriptor.full_name().starts_with("google.protobuf.") {
            self.text.extend_from_slice(plain(bytes, descriptor)?.as_bytes());
            return Ok(());
        }
        let mut fields = WireFields::read(bytes, descriptor)?;
        let rest = plain(std::mem::take(&mut fields.rest).into(), descriptor)?;
        let rest: BTreeMap<String, &RawValue> = serde_json::from_str(&rest).map_err(|_| Problem::Malformed)?;
        let mut parts = vec![Part::Text("{".to_owned())];
        for field in descriptor.fields() {
            let separator = if parts.len() > 1 { "," } else { "" };
            let name = serde_json::Value::from(field.json_name());
            let begin = |parts: &mut Vec<Part>, bracket: &str| {
                parts.push(Part::Text(format!("{separator}{name}:{bracket}")));
            };
            match (fields.parts.remove(&field.number()), rest.get(field.json_name())) {
                (Some(occurrences), _) => {
                    let (open, close) = if field.is_map() { ("{", "}") } else { ("[", "]") };
                    let is_list = field.is_list() || field.is_map();
                    begin(&mut parts, if is_list { open } else { "" });
                    parts.push(part_of(&field, occurrences, depth + 1));
                    if is_list {
                        parts.push(Part::Text(close.to_owned()));
                    }
                }
                (None, Some(value)) if !fields.is_superseded(&field) => begin(&mut parts, value.get()),
                (None, _) => {}
            }
        }
        parts.push(Part::Text("}".to_owned()));
        self.left.extend(parts.into_iter().rev());
        self.done += fields.count / 100;
        Ok(())
    }
}

/// The fields of a message on the wire.
#[derive(Default)]
struct WireFields {
    /// The occurrences of fields that are converted on their own: the payloads of messages, and lists and maps with
    /// their keys.
    parts: BTreeMap<u32, Vec<Bytes>>,
    /// All other fields.
    rest: Vec<u8>,
    /// The last field of each `oneof`.
    chosen: BTreeMap<String, u32>,
    /// The number of occurrences.
    count: usize,
}

impl WireFields {
    fn read(mut bytes: Bytes, descriptor: &MessageDescriptor) -> Result<Self, Problem> {
        let mut fields = Self::default();
        // A list repeats its field.
        let mut known = (0, None);
        for count in 0.. {
            if !bytes.has_remaining() {
                break;
            }
            if count == MOST_OCCURRENCES {
                return Err(Problem::TooLong);
            }
            fields.count = count;
            let whole = bytes.clone();
            let (number, wire_type) = decode_key(&mut bytes).map_err(|_| Problem::Malformed)?;
            let key = whole.len() - bytes.len();
            skip_field(wire_type, number, &mut bytes, DecodeContext::default()).map_err(|_| Problem::Malformed)?;
            let occurrence = whole.slice(..whole.len() - bytes.len());
            if known.0 != number {
                known = (number, descriptor.get_field(number).map(KnownField::new));
            }
            if let Some(field) = &known.1 {
                fields.add(field, wire_type, occurrence, key)?;
            }
        }
        Ok(fields)
    }

    /// Adds an occurrence of a field, whose key takes `key` bytes.
    fn add(&mut self, field: &KnownField, wire_type: WireType, occurrence: Bytes, key: usize) -> Result<(), Problem> {
        if let Some(oneof) = &field.oneof {
            let before = self.chosen.insert(oneof.clone(), field.number);
            before.filter(|before| *before != field.number).map(|before| self.parts.remove(&before));
        }
        if field.is_message && wire_type == WireType::LengthDelimited {
            let mut payload = occurrence.slice(key..);
            decode_varint(&mut payload).map_err(|_| Problem::Malformed)?;
            self.parts.entry(field.number).or_default().push(payload);
        } else if field.has_many {
            self.parts.entry(field.number).or_default().push(occurrence);
        } else {
            self.rest.extend_from_slice(&occurrence);
        }
        Ok(())
    }

    /// Returns `true` if a later field of its `oneof` has taken the place of this one.
    fn is_superseded(&self, field: &FieldDescriptor) -> bool {
        let chosen = field.containing_oneof().and_then(|oneof| self.chosen.get(oneof.name()).copied());
        chosen.is_some_and(|chosen| chosen != field.number())
    }
}

/// The properties of a field that decide how it is read.
struct KnownField {
    number: u32,
    /// The name of its `oneof`.
    oneof: Option<String>,
    /// True for a message, or a list of messages.
    is_message: bool,
    /// True for a list or a map.
    has_many: bool,
}

impl KnownField {
    fn new(field: FieldDescriptor) -> Self {
        let is_group = field.is_group();
        Self {
            number: field.number(),
            oneof: field.containing_oneof().map(|oneof| oneof.name().to_owned()),
            is_message: matches!(field.kind(), Kind::Message(_)) && !field.is_map() && !is_group,
            has_many: (field.is_list() || field.is_map()) && !is_group,
        }
    }
}

/// Returns the part of a field with these occurrences.
fn part_of(field: &FieldDescriptor, mut occurrences: Vec<Bytes>, depth: u8) -> Part {
    match field.kind() {
        Kind::Message(descriptor) if field.is_list() => {
            occurrences.reverse();
            Part::Messages { items: occurrences, descriptor, depth, is_first: true }
        }
        // Several occurrences are merged, as if their fields followed each other.
        Kind::Message(descriptor) if !field.is_map() => {
            let bytes = match occurrences.as_slice() {
                [one] => one.clone(),
                several => several.concat().into(),
            };
            Part::Message { bytes, descriptor, depth }
        }
        _ => {
            let (packed, single): (Vec<_>, Vec<_>) = occurrences.into_iter().partition(|one| is_packed(one, field));
            let single = single.chunks(AT_ONCE).map(|chunk| chunk.concat().into());
            let mut pieces: Vec<Bytes> = single.chain(packed.iter().flat_map(|one| unpacked(one, field))).collect();
            pieces.reverse();
            Part::Pieces { pieces, field: field.clone(), is_first: true }
        }
    }
}

/// Returns `true` for an occurrence that holds several values without their keys.
fn is_packed(occurrence: &Bytes, field: &FieldDescriptor) -> bool {
    let may_be = !matches!(field.kind(), Kind::String | Kind::Bytes | Kind::Message(_));
    may_be && matches!(decode_key(&mut occurrence.clone()), Ok((_, WireType::LengthDelimited)))
}

/// Splits a packed list into messages with [`AT_ONCE`] of its values each.
fn unpacked(occurrence: &Bytes, field: &FieldDescriptor) -> Vec<Bytes> {
    let width = match field.kind() {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Some(8),
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Some(4),
        _ => None,
    };
    let mut payload = occurrence.clone();
    let (Ok((number, _)), Ok(_)) = (decode_key(&mut payload), decode_varint(&mut payload)) else { return Vec::new() };
    let mut pieces = Vec::new();
    while !payload.is_empty() {
        let end = match width {
            Some(width) => width * AT_ONCE,
            // A value of variable length ends with the first byte below 128.
            None => {
                let ends = payload.iter().enumerate().filter(|(_, byte)| **byte < 0x80);
                ends.map(|(last, _)| last + 1).nth(AT_ONCE - 1).unwrap_or(payload.len())
            }
        };
        let values = payload.split_to(end.min(payload.len()));
        let mut piece = Vec::with_capacity(values.len() + 8);
        encode_key(number, WireType::LengthDelimited, &mut piece);
        encode_varint(values.len() as u64, &mut piece);
        piece.extend_from_slice(&values);
        pieces.push(piece.into());
    }
    pieces
}

/// Converts a message with one list or map alone, and returns what is between its brackets.
fn values_of(piece: Bytes, field: &FieldDescriptor) -> Result<String, Problem> {
    let text = plain(piece, field.parent_message())?;
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(&text).map_err(|_| Problem::Malformed)?;
    let values = fields.get(field.json_name()).map(|values| values.get()).unwrap_or_default();
    Ok(values.get(1..values.len().saturating_sub(1)).unwrap_or_default().to_owned())
}

/// Converts a message at once, fields without a value included.
fn plain(bytes: Bytes, descriptor: &MessageDescriptor) -> Result<String, Problem> {
    let message = DynamicMessage::decode(descriptor.clone(), bytes).map_err(|_| Problem::Malformed)?;
    let mut text = Vec::new();
    let mut sink = serde_json::Serializer::new(&mut text);
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(&mut sink, &options).map_err(|_| Problem::Malformed)?;
    String::from_utf8(text).map_err(|_| Problem::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"
        syntax = "proto3";
        package t;
        import "google/protobuf/timestamp.proto";
        import "google/protobuf/wrappers.proto";
        enum Kind { NONE = 0; LOUD = 1; }
        message Item { int32 id = 1; string name = 2; repeated Item items = 3; Item below = 4; }
        message All {
            repeated Item items = 1;
            map<string, Item> by_name = 2;
            repeated int32 numbers = 3;
            repeated string texts = 4;
            repeated double weights = 5;
            repeated Kind kinds = 6;
            google.protobuf.Timestamp at = 7;
            google.protobuf.StringValue note = 8;
            Item one = 9;
            oneof choice { Item item = 10; string text = 11; Item other = 12; }
            int64 large = 13;
            bytes data = 14;
            repeated google.protobuf.Timestamp times = 15;
            repeated int32 unpacked = 16 [packed = false];
            map<int32, string> texts_by_number = 17;
        }
    "#;

    fn descriptor(name: &str) -> MessageDescriptor {
        let pool = crate::schema::compiled_text("t.proto", SCHEMA);
        pool.get_message_by_name(name).expect("the message")
    }

    fn encoded(json: &serde_json::Value, descriptor: &MessageDescriptor) -> Bytes {
        use prost::Message;
        let message = DynamicMessage::deserialize(descriptor.clone(), json).expect("a message of its type");
        message.encode_to_vec().into()
    }

    /// Converts in portions, and counts them.
    fn converted(bytes: Bytes, descriptor: &MessageDescriptor) -> Result<(String, usize), Problem> {
        let mut conversion = Conversion::new(bytes, descriptor.clone());
        for portions in 1.. {
            if let Some(text) = conversion.advance()? {
                return Ok((text, portions));
            }
        }
        unreachable!("numbers have no end")
    }

    #[test]
    fn the_text_is_that_of_the_library() {
        let all = descriptor("t.All");
        for json in [
            serde_json::json!({}),
            serde_json::json!({
                "items": [{"id": 1}, {}, {"name": "x\"y", "items": [{"id": 2, "below": {"id": 3}}]}],
                "byName": {"a": {"id": 1}, "b": {}},
                "numbers": [1, -2, 300_000], "texts": ["", "a"], "weights": [0.5, 1e300, "NaN"],
                "kinds": ["LOUD", "NONE", 7], "at": "2026-01-02T03:04:05Z", "note": "n",
                "one": {"items": [{}]}, "text": "t", "large": "-9", "data": "AAE=",
                "times": ["2026-01-02T03:04:05Z", "1970-01-01T00:00:00Z"], "unpacked": [1, 2], "textsByNumber": {"1": "x"},
            }),
            serde_json::json!({"item": {"id": 1}}),
            serde_json::json!({"other": {}}),
            serde_json::json!({"numbers": (0..1000).collect::<Vec<_>>(), "unpacked": (0..1000).collect::<Vec<_>>()}),
        ] {
            let bytes = encoded(&json, &all);
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            let expected = plain(bytes.clone(), &all).expect("a message");
            assert_eq!(value(&converted(bytes, &all).expect("a message").0), value(&expected));
        }
    }

    #[test]
    fn the_last_field_of_a_oneof_counts_and_messages_are_merged() {
        let all = descriptor("t.All");
        let bytes = |json: serde_json::Value| encoded(&json, &all);
        let both = [
            bytes(serde_json::json!({"text": "t", "one": {"id": 1}})),
            bytes(serde_json::json!({"item": {"id": 1}, "one": {"name": "n"}})),
        ];
        for order in [[0, 1], [1, 0]] {
            let bytes = Bytes::from(order.map(|index| both[index].clone()).concat());
            let (text, _) = converted(bytes.clone(), &all).expect("a message");
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            assert_eq!(value(&text), value(&plain(bytes, &all).expect("a message")));
        }
    }

    #[test]
    fn many_small_parts_are_converted_in_portions() {
        let all = descriptor("t.All");
        for (case, json) in [
            ("messages", serde_json::json!({"items": vec![serde_json::json!({"id": 1}); 20_000]})),
            ("numbers", serde_json::json!({"numbers": vec![1; 200_000]})),
            ("texts", serde_json::json!({"texts": vec!["some text"; 50_000]})),
        ] {
            let (text, portions) = converted(encoded(&json, &all), &all).expect("a message");
            assert!(text.len() / PORTION / 1000 < portions && portions > 2, "{case}: {portions}");
        }
    }

    #[test]
    fn what_does_not_fit_is_rejected() {
        let all = descriptor("t.All");
        for bytes in [&b"\x0a"[..], b"\x0a\x05\x08\x01", b"\x0a\x01\xff", b"\x3d\0", b"\x0b"] {
            assert_eq!(converted(Bytes::copy_from_slice(bytes), &all).err(), Some(Problem::Malformed), "{bytes:?}");
        }
        for many in [
            b"\x0a\x00".repeat(MOST_OCCURRENCES + 1),
            encoded(&serde_json::json!({"text": "x".repeat(LONGEST)}), &all).to_vec(),
        ] {
            assert_eq!(converted(many.into(), &all).err(), Some(Problem::TooLong));
        }
    }
}
