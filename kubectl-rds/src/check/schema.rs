//! The part of a structural schema that our kinds use, judged as the API server judges it, in more words.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex_lite::Regex;
use serde_json::{Map, Number, Value};
use shared::api::crds;
use shared::rules::{Rule, described, one_of, quoted, shown_key, suggestion};

use super::found::Found;
use super::rule::FileRule;

/// Adds what is wrong with a value.
pub(super) fn validate(value: &Value, schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    if value.is_null() && schema.nullable == Some(true) {
        return;
    }
    match (schema.type_.as_deref(), value) {
        (Some("object"), Value::Object(_)) => object(value, schema, field, found),
        (Some("array"), Value::Array(items)) => array(items, schema, field, found),
        (Some("string"), Value::String(text)) => string(text, schema, field, found),
        (Some("boolean"), Value::Bool(_)) | (None, _) => {}
        (Some("integer"), Value::Number(number)) if number.is_i64() => range(number, schema, field, found),
        (Some(wanted), other) => {
            let wanted = match wanted {
                "object" => "a map",
                "array" => "a list",
                "string" => "a text",
                "boolean" => "true or false",
                "integer" => "a whole number",
                other => other,
            };
            found.push(Found::new(field, Rule::WrongType, format!("must be {wanted}, not {}", described(other))));
        }
    }
}

fn object(value: &Value, schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    let Some(entries) = value.as_object() else { return };
    // The API server takes out what is null and must not be, before it looks at anything else (apiextensions-apiserver,
    // `PruneNonNullableNullsWithoutDefaults`).
    let is_there = |key: &str, value: &Value| !value.is_null() || entry(schema, key).is_none_or(is_nullable);
    let there = entries.iter().filter(|(key, value)| is_there(key, value)).count();
    if let Some(most) = schema.max_properties.filter(|most| there > index(*most)) {
        found.push(malformed(field, format!("has {there} entries: at most {most} are allowed")));
    }
    for key in schema.required.iter().flatten() {
        if entries.get(key).is_none_or(|value| !is_there(key, value)) {
            found.push(malformed(&format!("{field}.{key}"), "is missing"));
        }
    }
    for (key, value) in entries.iter().filter(|(key, value)| is_there(key, value)) {
        if let Some(inner) = entry(schema, key) {
            validate(value, inner, &below(schema, field, key), found);
        }
    }
    unknown_keys(entries, schema, field, found);
}

/// Adds the fields that do not exist, at any depth, of what is judged by nothing else.
pub(super) fn unknown_fields(value: &Value, schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    match (value, &schema.items) {
        (Value::Object(entries), _) => {
            for (key, value) in entries {
                if let Some(inner) = entry(schema, key) {
                    unknown_fields(value, inner, &below(schema, field, key), found);
                }
            }
            unknown_keys(entries, schema, field, found);
        }
        (Value::Array(items), Some(JSONSchemaPropsOrArray::Schema(schema))) => {
            for (at, item) in items.iter().enumerate() {
                unknown_fields(item, schema, &format!("{field}[{at}]"), found);
            }
        }
        _ => {}
    }
}

fn unknown_keys(entries: &Map<String, Value>, schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    let (Some(properties), None) = (&schema.properties, &schema.additional_properties) else { return };
    let known = || properties.keys().map(String::as_str);
    for key in entries.keys().filter(|key| !properties.contains_key(*key)) {
        let message = format!("is not a field: {field} has {}{}", one_of(known()), suggestion(key, known()));
        found.push(Found::new(format!("{field}.{}", shown_key(key)), Rule::UnknownField, message));
    }
}

/// The schema of one entry of a map.
fn entry<'a>(schema: &'a JSONSchemaProps, key: &str) -> Option<&'a JSONSchemaProps> {
    let named = schema.properties.as_ref().and_then(|properties| properties.get(key));
    named.or(match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(schema)) => Some(schema),
        _ => None,
    })
}

/// The path of an entry: of a field, or of a key that its author chose.
fn below(schema: &JSONSchemaProps, field: &str, key: &str) -> String {
    let named = schema.properties.as_ref().is_some_and(|properties| properties.contains_key(key));
    if named { format!("{field}.{key}") } else { format!("{field}[{}]", shown_key(key)) }
}

fn is_nullable(schema: &JSONSchemaProps) -> bool {
    schema.nullable == Some(true) || schema.default.is_some()
}

/// The schema of a kind's field as it is installed, such as that of `spec`.
pub(super) fn installed(kind: &str, field: &str) -> JSONSchemaProps {
    let crds = crds().into_iter().filter(|crd| crd.spec.names.kind == kind);
    let mut versions = crds.flat_map(|crd| crd.spec.versions);
    let root = versions.find_map(|version| version.schema?.open_api_v3_schema);
    root.and_then(|root| root.properties?.remove(field)).unwrap_or_default()
}

fn array(items: &[Value], schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    if let Some(most) = schema.max_items.filter(|most| items.len() > index(*most)) {
        found.push(malformed(field, format!("has {} entries: at most {most} are allowed", items.len())));
    }
    if let Some(least) = schema.min_items.filter(|least| items.len() < index(*least)) {
        found.push(malformed(field, format!("has {} entries: at least {least} is needed", items.len())));
    }
    let is_set = schema.x_kubernetes_list_type.as_deref() == Some("set");
    for (at, item) in items.iter().enumerate() {
        let field = format!("{field}[{at}]");
        if let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items {
            validate(item, schema, &field, found);
        }
        if is_set && items[..at].contains(item) {
            let shown = item.as_str().map_or_else(|| item.to_string(), quoted);
            found.push(malformed(&field, format!("{shown} is listed twice")));
        }
    }
}

/// The limits are read as floating-point numbers, which hold every whole number up to 2^53.
fn range(number: &Number, schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    let number = number.as_f64().unwrap_or_default();
    if let Some(most) = schema.maximum.filter(|most| number > *most) {
        found.push(malformed(field, format!("{number} is too much: at most {most} is allowed")));
    } else if let Some(least) = schema.minimum.filter(|least| number < *least) {
        found.push(malformed(field, format!("{number} is too little: at least {least} is needed")));
    }
}

fn string(text: &str, schema: &JSONSchemaProps, field: &str, found: &mut Vec<Found>) {
    let length = text.chars().count();
    if let Some(most) = schema.max_length.filter(|most| length > index(*most)) {
        return found.push(malformed(field, format!("has {length} characters: at most {most} are allowed")));
    }
    if let Some(least) = schema.min_length.filter(|least| length < index(*least)) {
        return found.push(malformed(field, format!("has {length} characters: at least {least} is needed")));
    }
    let words: Option<Vec<&str>> = match (&schema.enum_, &schema.pattern) {
        (Some(values), _) => Some(values.iter().filter_map(|value| value.0.as_str()).collect()),
        (None, Some(pattern)) => alternatives(pattern),
        (None, None) => return,
    };
    if let Some(words) = words {
        if !words.contains(&text) {
            let allowed = one_of(words.iter().copied());
            let message = format!("{} is not known: write {allowed}{}", quoted(text), suggestion(text, words));
            found.push(malformed(field, message));
        }
        return;
    }
    // A pattern that cannot be read is a fault of the schema, which its own tests find.
    let fits =
        schema.pattern.as_deref().and_then(|pattern| Regex::new(pattern).ok()).is_none_or(|regex| regex.is_match(text));
    if !fits {
        let what = schema.description.as_deref().map(first_sentence).unwrap_or_default();
        found.push(malformed(field, format!("{} does not fit: {what}", quoted(text))));
    }
}

/// The words of a pattern that is nothing but words: `^(gp3|gp2)$`.
fn alternatives(pattern: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = pattern.strip_prefix("^(")?.strip_suffix(")$")?.split('|').collect();
    words.iter().all(|word| word.chars().all(char::is_alphanumeric)).then_some(words)
}

/// What a field is, without what it is when it is absent.
fn first_sentence(description: &str) -> &str {
    let end = [". ", "; "].into_iter().filter_map(|end| description.find(end)).min();
    end.map_or(description, |end| &description[..end]).trim_end_matches('.')
}

fn malformed(field: &str, message: impl Into<String>) -> Found {
    Found::new(field, FileRule::MalformedClass, message)
}

/// Limits of a schema are never negative.
fn index(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pattern_of_the_schemas_can_be_read() {
        fn patterns(schema: &JSONSchemaProps, out: &mut Vec<String>) {
            out.extend(schema.pattern.clone());
            schema.properties.iter().flatten().for_each(|(_, schema)| patterns(schema, out));
            if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
                patterns(items, out);
            }
            if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
                patterns(values, out);
            }
        }
        let mut all = Vec::new();
        for version in crds().into_iter().flat_map(|crd| crd.spec.versions) {
            patterns(&version.schema.unwrap().open_api_v3_schema.unwrap(), &mut all);
        }
        assert!(all.len() > 10);
        for pattern in all {
            assert!(Regex::new(&pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn a_number_stays_within_its_range() {
        let schema: JSONSchemaProps =
            serde_json::from_value(json!({"type": "integer", "minimum": 5, "maximum": 7})).unwrap();
        for (value, said) in [
            (json!(4), Some("4 is too little: at least 5 is needed")),
            (json!(5), None),
            (json!(7), None),
            (json!(8), Some("8 is too much: at most 7 is allowed")),
            (json!(6.5), Some("must be a whole number, not the number 6.5")),
        ] {
            let mut found = Vec::new();
            validate(&value, &schema, "spec.seats", &mut found);
            assert_eq!(
                found.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(),
                Vec::from_iter(said),
                "{value}"
            );
        }
    }

    #[test]
    fn words_are_told_from_patterns() {
        assert_eq!(alternatives("^(gp3|gp2)$"), Some(vec!["gp3", "gp2"]));
        assert_eq!(alternatives("^[a-z]+$"), None);
        assert_eq!(alternatives("^(a+|b)$"), None);
    }
}
