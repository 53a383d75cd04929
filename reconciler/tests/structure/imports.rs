//! Imports go one way: who reads a file top down never comes back to where they began.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, Path, UseTree};

use crate::sources::{Code, code};

/// No file is longer: one that is asks to be split by meaning.
const LONGEST: usize = 400;

/// A module, by its path below the crate.
type Module = Vec<String>;

fn module(file: &str) -> Module {
    let path = file.trim_end_matches(".rs").split('/').map(str::to_owned);
    let mut path: Vec<_> = path.collect();
    if path.last().is_some_and(|last| last == "mod" || path == ["lib"]) {
        path.pop();
    }
    path
}

/// What a file imports or names by a path.
struct Named<'a> {
    at: &'a Module,
    modules: &'a BTreeSet<Module>,
    found: BTreeSet<Module>,
}

impl Named<'_> {
    /// The module that an item of this path is asked of.
    fn add(&mut self, path: &[String]) {
        let mut from = self.at.clone();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate") => (from, rest) = (Module::new(), &path[1..]),
            Some("self") => rest = &path[1..],
            Some("super") => {
                while rest.first().is_some_and(|part| part == "super") {
                    from.pop();
                    rest = &rest[1..];
                }
            }
            Some(first) if self.modules.contains(&[self.at.as_slice(), &[first.to_owned()]].concat()) => {}
            _ => return,
        }
        let whole = [from, rest.to_vec()].concat();
        let prefixes = (1..=whole.len()).rev().map(|length| whole[..length].to_vec());
        if let Some(asked) = prefixes.into_iter().find(|prefix| self.modules.contains(prefix))
            && asked != *self.at
        {
            self.found.insert(asked);
        }
    }

    fn tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(name) => self.add(&with(name.ident.to_string())),
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

fn only_in_tests(attributes: &[Attribute]) -> bool {
    let of = |attribute: &Attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<Path>().is_ok_and(|it| it.is_ident("test"))
    };
    attributes.iter().any(of)
}

impl<'ast> Visit<'ast> for Named<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !only_in_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let parts: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1 {
            self.add(&parts);
        }
        visit::visit_path(self, path);
    }
}

/// Which module names which.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let code: Vec<Code> = code().into_iter().filter(Code::is_rust).collect();
    // The crate's root only says what there is.
    let files =
        code.iter().filter(|code| code.file != "lib.rs" && code.file != "main.rs" && !code.file.starts_with("bin/"));
    let files: BTreeMap<Module, &str> = files.map(|code| (module(&code.file), code.text.as_str())).collect();
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    let named = |(at, text): (&Module, &&str)| {
        let file = syn::parse_file(text).expect("it compiles");
        let mut named = Named { at, modules: &modules, found: BTreeSet::new() };
        named.visit_file(&file);
        (at.clone(), named.found)
    };
    files.iter().map(named).collect()
}

/// A way from a module back to itself, if there is one.
fn circle(from: &Module, imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        for named in imports.get(at).into_iter().flatten() {
            if named == from {
                let mut way = vec![from.clone()];
                let mut back = at;
                while back != from {
                    way.push(back.clone());
                    back = came_from[back];
                }
                way.push(from.clone());
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(named) {
                came_from.insert(named, at);
                next.push(named);
            }
        }
    }
    None
}

#[test]
fn imports_go_one_way() {
    let imports = imports();
    assert!(imports.len() > 100 && imports[&["controller".to_owned()][..]].len() > 5, "{imports:?}");
    let circles: Vec<String> = imports
        .keys()
        .filter_map(|from| circle(from, &imports))
        .map(|way| way.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" > "))
        .collect();
    assert!(circles.is_empty(), "{} circles:\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn a_file_is_read_in_one_go() {
    let long: Vec<_> =
        code().into_iter().filter(|code| code.text.lines().count() > LONGEST).map(|code| code.file).collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:?}");
}
