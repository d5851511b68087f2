// dead-letter: properties in the bytes of their content header, and names that need not be UTF-8.
// Included in `protocol::basic` (generated.rs); see docs/adr/0013 of dead-letter.

/// The properties of a content header as bytes, from the flags on. The fields are read when they are asked for.
#[derive(Clone, Debug)]
struct Wire {
    bytes: Vec<u8>,
    fields: std::sync::OnceLock<Box<AMQPProperties>>,
}

impl AMQPProperties {
    /// Properties that are written as these bytes: those of a content header, from the flags on.
    #[must_use]
    pub fn from_wire(bytes: Vec<u8>) -> Self {
        let wire = Wire {
            bytes,
            fields: std::sync::OnceLock::new(),
        };
        Self {
            wire: Some(wire),
            ..Self::default()
        }
    }

    /// The bytes that they came as; `None` for those made of fields.
    #[must_use]
    pub fn wire(&self) -> Option<&[u8]> {
        self.wire.as_ref().map(|wire| wire.bytes.as_slice())
    }

    /// The bytes that they came as, given away; empty for those made of fields.
    #[must_use]
    pub fn into_wire(self) -> Vec<u8> {
        self.wire.map(|wire| wire.bytes).unwrap_or_default()
    }

    /// The fields; none where the bytes can't be read as such.
    fn fields(&self) -> &Self {
        match &self.wire {
            None => self,
            Some(wire) => wire.fields.get_or_init(|| {
                let read = parse_properties(wire.bytes.as_slice());
                Box::new(read.map(|(_, fields)| fields).unwrap_or_default())
            }),
        }
    }

    fn into_fields(self) -> Self {
        match &self.wire {
            None => self,
            Some(_) => self.fields().clone(),
        }
    }
}

impl PartialEq for AMQPProperties {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.fields(), other.fields());
        one.content_type == other.content_type
            && one.content_encoding == other.content_encoding
            && one.headers == other.headers
            && one.delivery_mode == other.delivery_mode
            && one.priority == other.priority
            && one.correlation_id == other.correlation_id
            && one.reply_to == other.reply_to
            && one.expiration == other.expiration
            && one.message_id == other.message_id
            && one.timestamp == other.timestamp
            && one.kind == other.kind
            && one.user_id == other.user_id
            && one.app_id == other.app_id
            && one.cluster_id == other.cluster_id
    }
}

/// Takes the rest of a content header, whatever it is.
pub fn take_properties<I: ParsableInput>(i: I) -> ParserResult<I, AMQPProperties> {
    let (rest, properties) = i.take_split(i.input_len());
    Ok((
        rest,
        AMQPProperties::from_wire(properties.iter_elements().collect()),
    ))
}

/// A name that a publisher chose, which the broker does not check, or the broker's words with such names in them, which it
/// cuts at 255 bytes. What is not ASCII in one that is not UTF-8 becomes `?`, so that it gets no longer.
pub(super) fn parse_short_string_lossy<I: ParsableInput>(i: I) -> ParserResult<I, ShortString> {
    let (i, length) = parse_short_short_uint(i)?;
    let (i, name) = nom::bytes::streaming::take(length).parse(i)?;
    let text = String::from_utf8(name.iter_elements().collect()).unwrap_or_else(|error| {
        error
            .as_bytes()
            .iter()
            .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' })
            .collect()
    });
    Ok((i, ShortString::from(text)))
}
