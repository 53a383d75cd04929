//! Derives are named in one order, so that a list is read at a glance and what is missing is seen.

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Path, Token};

use crate::sources::{Code, code};

/// Those of the language, in the order in which they build on each other; all others follow by name.
const FIRST: [&str; 9] = ["Clone", "Copy", "Debug", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

fn place(name: &str) -> (usize, &str) {
    (FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len()), name)
}

/// The lists of derives of a file.
#[derive(Default)]
struct Lists(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Lists {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("derive") {
            let derived = attribute
                .parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
                .expect("it compiles, so it is a list of paths");
            let name = |path: &Path| path.segments.last().map(|last| last.ident.to_string());
            self.0.push(derived.iter().filter_map(name).collect());
        }
        visit::visit_attribute(self, attribute);
    }
}

#[test]
fn derives_have_one_order() {
    let mut lists = Vec::new();
    for code in code().into_iter().filter(Code::is_rust) {
        let mut found = Lists::default();
        found.visit_file(&syn::parse_file(&code.text).expect("it compiles"));
        lists.extend(found.0.into_iter().map(|list| (code.file.clone(), list)));
    }
    assert!(lists.len() > 100, "a search that finds {} lists sees nothing", lists.len());
    let strays: Vec<_> = lists.iter().filter(|(_, list)| !list.is_sorted_by_key(|name| place(name))).collect();
    assert!(strays.is_empty(), "in another order than {FIRST:?} and then by name: {strays:#?}");
}
