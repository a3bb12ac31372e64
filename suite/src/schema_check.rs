//! The part of JSON Schema (draft 2020-12) that docs/bench-schema.json uses: for tests. A whole validator would bring
//! thirty crates, whose features change how the rest of the workspace is compiled.

use serde_json::Value;

/// What `value` does wrong by `root`, by place. Panics at a keyword it does not know: nothing goes unchecked.
pub fn errors(root: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, root, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        if keyword == "$ref" {
            let at = rule.as_str().and_then(|r| r.strip_prefix('#'));
            let referred = root.pointer(at.expect("a reference within the file"));
            check(root, referred.expect(keyword), value, place, found);
        } else if keyword == "properties" {
            for (name, rule) in rule.as_object().expect(keyword) {
                if let Some(value) = value.get(name) {
                    check(root, rule, value, &format!("{place}/{name}"), found);
                }
            }
        } else if keyword == "items" {
            for (at, value) in value.as_array().into_iter().flatten().enumerate() {
                check(root, rule, value, &format!("{place}/{at}"), found);
            }
        } else if !holds(schema, keyword, rule, value) {
            found.push(format!("{place}: {value} against {keyword}: {rule}"));
        }
    }
}

/// Rules that look no deeper. One that is about another type of value holds.
fn holds(schema: &Value, keyword: &str, rule: &Value, value: &Value) -> bool {
    let number = |test: fn(&f64, &f64) -> bool| match (value.as_f64(), rule.as_f64()) {
        (Some(value), Some(rule)) => test(&value, &rule),
        _ => true,
    };
    let length = |test: fn(&u64, &u64) -> bool| match (value.as_array(), rule.as_u64()) {
        (Some(value), Some(rule)) => test(&(value.len() as u64), &rule),
        _ => true,
    };
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list of names");
        list.iter()
            .filter_map(|n| n.as_str().map(str::to_owned))
            .collect()
    };
    match keyword {
        "$schema" | "$defs" | "title" | "description" => true,
        "const" => value == rule,
        "enum" => rule.as_array().expect("values").contains(value),
        "type" if rule.is_array() => names(rule).iter().any(|name| is(value, name)),
        "type" => is(value, rule.as_str().expect("a type's name")),
        "required" => names(rule).iter().all(|name| value.get(name).is_some()),
        "additionalProperties" => {
            assert_eq!(*rule, false);
            let known = &schema["properties"];
            let mut given = value.as_object().into_iter().flatten();
            given.all(|(name, _)| known.get(name).is_some())
        }
        "minItems" => length(u64::ge),
        "maxItems" => length(u64::le),
        "minimum" => number(f64::ge),
        "maximum" => number(f64::le),
        "exclusiveMinimum" => number(f64::gt),
        other => panic!("the schema uses {other}, which is not checked here"),
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("no type is called {other}"),
    }
}
