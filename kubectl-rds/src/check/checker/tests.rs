//! Whatever a file holds, there is an answer.

use proptest::prelude::*;

use super::*;
use crate::check::output::{self, Format, Quiet};

const TODAY: Date = jiff::civil::date(2026, 3, 1);

fn report(text: &str) -> Report {
    let mut checker = Checker::new(Options {
        today: TODAY,
        versions: DefaultVersions::BUILT_IN,
        skip_templates: false,
        warnings_as_errors: false,
    });
    checker.check(Source::new("file.yaml", text));
    checker.finish()
}

/// Every finding points into the text, and every form of output can be written.
fn answered(text: &str) {
    let report = report(text);
    let lines = Source::new("", text).text.lines().count().max(1);
    for finding in &report.findings {
        let (start, end) = (finding.span.start, finding.span.end);
        assert!((1..=lines).contains(&start.line) && start.column >= 1 && start <= end, "{text:?}: {finding:?}");
    }
    for format in [Format::Text, Format::Json, Format::Sarif] {
        output::write(&report, format, Quiet(false), &mut Vec::new()).unwrap();
    }
}

/// Pieces that YAML and the objects are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\n",
            "metadata: {name: a, labels: {b: 1}}\n",
            "spec:\n  users:\n    app: [createdb]\n",
            "  size: 10\n",
            "&a ",
            "*a",
            "<<: ",
            "- ",
            ": ",
            "? ",
            "|\n",
            ">-\n",
            "---\n",
            "...\n",
            "%YAML 1.2\n",
            "!!int ",
            "!<x> ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "\"",
            "'",
            "# x\n",
            "\n",
            "\r\n",
            "\t",
            "  ",
            "{{ .x }}",
            "\\",
            "ü",
            "\u{2028}",
            "\u{0}",
        ])
        .prop_map(ToOwned::to_owned),
        "[a-z0-9]{1,4}",
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #[test]
    fn any_text_is_answered(pieces in prop::collection::vec(piece(), 0..40)) {
        answered(&pieces.concat());
    }

    #[test]
    fn an_object_with_something_in_it_is_answered(at in 0_usize..200, piece in piece()) {
        let mut text = "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata:\n  name: orders\nspec:\n  version: 12.10\n  \
                        users: {app: &f [createdb], b: *f}\n  databases:\n    orders:\n    - app\n    - repot\n".to_owned();
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &piece);
        answered(&text);
    }
}
