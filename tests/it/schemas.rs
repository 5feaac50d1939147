//! `schema/` holds the JSON Schema of every JSON that drvc prints.

use crate::compare;
use drvc::cli::JSON_SCHEMAS;

#[test]
fn schema_files_are_current() {
    for (name, schema) in JSON_SCHEMAS {
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        compare(&format!("schema/{name}.schema.json"), &text)
            .unwrap_or_else(|difference| panic!("{difference}"));
    }
}
