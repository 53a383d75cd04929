//! What is read, what is skipped, and how the binary ends.

use std::fs;
use std::path::Path;

use crate::program::{TODAY, check, golden_folder, run, run_with};

const FINE: &str =
    "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: fine}\nspec: {version: \"18\", size: 20Gi}\n";
const WARNED: &str =
    "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: small}\nspec: {version: \"18\", size: 5GB}\n";
const REFUSED: &str =
    "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: wrong}\nspec: {size: ten, version: \"18\"}\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn the_code_says_how_it_went() {
    let folder =
        folder(&[("fine.yaml", FINE), ("warned.yaml", WARNED), ("refused.yaml", REFUSED), ("binary.yaml", "")]);
    fs::write(folder.path().join("binary.yaml"), b"a: 1\nb: \xff # RDSDatabase\n").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (args, code) in [
        (&["check", "fine.yaml"][..], 0),
        (&["check", "-f", "warned.yaml"], 0),
        (&["check", "--warnings-as-errors", "-f", "warned.yaml"], 1),
        (&["check", "-f", "fine.yaml", "refused.yaml"], 1),
        (&["check", "-f", "refused.yaml", "-f", "gone.yaml"], 2),
        (&["check", "binary.yaml"], 2),
        (&["check", "empty"], 2),
        (&["check", "empty", "fine.yaml"], 2),
        (&["check"], 2),
        (&["check", "-o", "xml", "fine.yaml"], 2),
        (&["check", "--today", "tomorrow", "fine.yaml"], 2),
        (&["check", "--default-version", "postgresql=17", "fine.yaml"], 0),
        (&["check", "--default-version", "postgresql=11", "fine.yaml"], 2),
        (&["check", "--default-version", "postgresql=16,postgresql=17", "fine.yaml"], 2),
        (&["chek"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
    ] {
        let ran = run(folder.path(), args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
    }
    let ran = run(folder.path(), &["check", "binary.yaml", "gone.yaml"]);
    assert!(ran.out.contains("binary.yaml: error: cannot be read: line 2 is not UTF-8"), "{}", ran.out);
    assert!(ran.out.contains("gone.yaml: error: cannot be read: No such file"), "{}", ran.out);
    assert!(ran.out.contains("2 inputs could not be read"), "{}", ran.out);
    let ran = run(folder.path(), &["check", "empty"]);
    assert!(
        ran.out.contains("empty: error: cannot be read: no file in it, or below, ends in .yaml, .yml"),
        "{}",
        ran.out
    );
}

#[test]
fn files_of_others_are_skipped_in_any_encoding() {
    let folder = folder(&[("fine.yaml", FINE)]);
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    fs::write(folder.path().join("latin-1.json"), b"{\"a\": \"\xe4\"}").unwrap();
    fs::write(folder.path().join("other.json"), utf16("\u{feff}{\"a\": 1}")).unwrap();
    for args in [&["check", ".", "-o", "json"][..], &["check", "fine.yaml", "latin-1.json", "other.json", "-o", "json"]]
    {
        let ran = run(folder.path(), args);
        let summary = &ran.json()["summary"];
        assert_eq!((ran.code, &summary["files"], &summary["otherDocuments"]), (0, &3.into(), &2.into()), "{summary}");
    }
    fs::write(folder.path().join("ours.yaml"), utf16(&format!("\u{feff}{REFUSED}"))).unwrap();
    let ran = run(folder.path(), &["check", "-q", "."]);
    assert!(ran.code == 1 && ran.out.contains("ours.yaml:4:14: error: spec.size: \"ten\""), "{}", ran.out);
}

#[test]
fn nothing_but_a_comment_stands_behind_a_separator() {
    let ours = "{apiVersion: matrixmind.cloud/v1, kind: RDSDatabase, metadata: {name: a}, spec: {version: \"18\", size: 20Gi}}";
    let ran = check(&format!("--- {ours}\n"), &[]);
    let finding = &ran.json()["findings"][0];
    assert_eq!((ran.code, finding["rule"].as_str(), &finding["column"]), (1, Some("yaml-syntax"), &5.into()));
    assert_eq!(check(&format!("--- # one\n{ours}\n"), &[]).code, 0);
}

#[test]
fn an_input_that_cannot_be_read_is_in_every_form() {
    let json = run(golden_folder(), &["check", "gone.yaml", "-o", "json"]).json();
    assert_eq!(json["unreadable"][0]["file"], "gone.yaml");
    let sarif = run(golden_folder(), &["check", "gone.yaml", "-o", "sarif"]).json();
    let invocation = &sarif["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert!(invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap().starts_with("gone.yaml"));
}

#[test]
fn folders_are_read_with_everything_below_but_nothing_twice() {
    let folder = folder(&[
        ("a/one.yaml", FINE),
        ("a/b/two.yml", WARNED),
        ("a/three.json", "{\"kind\": \"Other\"}"),
        ("a/.git/four.yaml", REFUSED),
        ("a/five.txt", REFUSED),
    ]);
    let json = run(folder.path(), &["check", "-f", "a", "-f", "a/one.yaml", "a/b", "-o", "json"]).json();
    assert_eq!((&json["summary"]["files"], &json["summary"]["objects"]), (&3.into(), &2.into()), "{json}");
    // A file that is named is read, whatever it is called.
    assert_eq!(run(folder.path(), &["check", "a/five.txt"]).code, 1);
    assert_eq!(run(folder.path(), &["check", "a/.git/four.yaml"]).code, 1);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_not_followed_in_circles() {
    let folder = folder(&[("a/one.yaml", FINE)]);
    std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("a/again")).unwrap();
    let json = run(folder.path(), &["check", "a", "-o", "json"]).json();
    assert_eq!(json["summary"]["files"], 1);
}

#[test]
fn standard_input_is_read_where_a_hyphen_stands() {
    let ran = run_with(golden_folder(), &["check", "-", "--today", TODAY], REFUSED.as_bytes(), &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("<stdin>:4:14: error: spec.size: \"ten\" is not a size"), "{}", ran.out);
}

#[test]
fn one_mistake_hides_no_other() {
    let text = format!("kind: RDSDatabase\na: [\n---\n{REFUSED}---\n{REFUSED}");
    let json = check(&text, &[]).json();
    let rules: Vec<&str> = json["findings"].as_array().unwrap().iter().filter_map(|one| one["rule"].as_str()).collect();
    assert!(rules.contains(&"yaml-syntax") && rules.contains(&"duplicate-object"), "{rules:?}");
    assert_eq!(rules.iter().filter(|rule| **rule == "malformed-size").count(), 2);
}

#[test]
fn a_fault_of_the_parser_is_no_answer() {
    // A tag without a value in brackets, which libyaml-safer 0.3 has no answer to.
    let ran = run_with(golden_folder(), &["check", "-"], b"kind: RDSDatabase\na: [!x, y]\n", &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.starts_with("<stdin>: kubectl-rds cannot read this"), "{}", ran.err);
}

#[test]
fn other_documents_are_nobody_s_business() {
    for text in [
        "",
        "a: [\n",
        "# nothing\n",
        "text\n",
        "- 1\n",
        "a: 1\na: 2\n",
        "kind: Deployment\napiVersion: apps/v1\nsize: ten\n",
    ] {
        let ran = check(text, &[]);
        assert_eq!((ran.code, ran.json()["summary"]["objects"].as_u64()), (0, Some(0)), "{text}");
    }
}

#[test]
fn templates_are_refused_where_they_are_of_our_kinds_and_skipped_on_demand() {
    let ours = "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata:\n  name: {{ .Release.Name }}\n";
    let other = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\n";
    let role = "kind: ClusterRole\nmetadata:\n  name: {{ .Release.Name }}\nrules: [{apiGroups: [matrixmind.cloud]}]\n";
    let quoted =
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: a}\nspec: {size: \"{{ .size }}\"}\n";
    let ran = check(ours, &[]);
    assert_eq!((ran.code, ran.json()["findings"][0]["rule"].as_str()), (1, Some("template")));
    assert_eq!(ran.json()["findings"][0]["line"], 4);
    assert_eq!(check(quoted, &[]).code, 1);
    assert_eq!((check(other, &[]).code, check(other, &[]).json()["summary"]["otherDocuments"].as_u64()), (0, Some(1)));
    for (text, args) in [(ours, &["--skip-templates"][..]), (quoted, &["--skip-templates"]), (role, &[])] {
        let ran = check(text, args);
        assert_eq!((ran.code, ran.json()["summary"]["skippedTemplates"].as_u64()), (0, Some(1)), "{text}");
    }
}

#[test]
fn items_of_a_list_are_what_the_list_says() {
    let ran = check(
        "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabaseList\nitems: [{metadata: {name: a}, spec: {size: ten, version: \"18\"}}]\n",
        &[],
    );
    let finding = &ran.json()["findings"][0];
    assert_eq!(
        (ran.code, finding["kind"].as_str(), finding["field"].as_str()),
        (1, Some("RDSDatabase"), Some("spec.size"))
    );
    let other =
        check("apiVersion: matrixmind.cloud/v1\nkind: RDSDatabaseList\nitems: [{apiVersion: v1, kind: Secret}]\n", &[]);
    assert_eq!((other.code, &other.json()["summary"]["otherDocuments"]), (0, &1.into()));
}

#[test]
fn a_status_has_no_unknown_fields() {
    let status =
        "status: {observedGeneration: x, users: {a: {secret: s, redy: true}}, conditions: [{typ: Ready}], engine: y}\n";
    let json = check(&format!("{FINE}{status}"), &[]).json();
    let fields: Vec<&str> =
        json["findings"].as_array().unwrap().iter().filter_map(|one| one["field"].as_str()).collect();
    assert_eq!(fields, ["status.users[a].redy", "status.conditions[0].typ", "status.engine"]);
}

#[test]
fn quiet_tells_errors_only() {
    let folder = folder(&[("warned.yaml", WARNED), ("refused.yaml", REFUSED)]);
    let ran = run(folder.path(), &["check", "-q", "."]);
    assert!(ran.out.contains("spec.size: \"ten\"") && !ran.out.contains("warning") && !ran.out.contains("checked in"));
    assert_eq!(run(folder.path(), &["check", "-q", "warned.yaml"]).out, "");
    assert!(
        run(folder.path(), &["check", "-q", "--warnings-as-errors", "warned.yaml"]).out.contains("size-below-minimum")
    );
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let escapes = |args: &[&str], variables: &[(&str, &str)]| {
        let args: Vec<&str> = ["check", "-"].iter().chain(args).copied().collect();
        run_with(golden_folder(), &args, REFUSED.as_bytes(), variables).out.contains('\u{1b}')
    };
    assert!(!escapes(&[], &[]));
    assert!(escapes(&["--color", "always"], &[]));
    assert!(escapes(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!escapes(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&["--color", "always", "-o", "json"], &[]));
}

#[test]
fn a_summary_counts_what_was_done() {
    let ran =
        run_with(golden_folder(), &["check", "-", "--today", TODAY], format!("{FINE}---\nkind: X\n").as_bytes(), &[]);
    assert_eq!(ran.out, "1 object checked in 1 file: nothing wrong (1 document of another kind skipped)\n");
}

#[test]
fn words_do_not_steer_the_terminal() {
    let text = "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: \"\\e[31m\"}\nspec: {size: \"\\e]0;x\\a\"}\n";
    let ran = run_with(golden_folder(), &["check", "-"], text.as_bytes(), &[]);
    assert_eq!(ran.code, 1);
    assert!(!ran.out.contains(['\u{1b}', '\u{7}']), "{:?}", ran.out);
}

#[test]
fn completion_scripts_are_given_for_each_shell() {
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef kubectl-rds"),
        ("fish", "complete -c kubectl-rds"),
        ("powershell", "Register-ArgumentCompleter"),
        ("kubectl", "exec kubectl-rds __complete"),
    ] {
        let ran = run(golden_folder(), &["completion", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains(mark), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_flags_of_a_verb() {
    use std::process::Command;

    let script = run(golden_folder(), &["completion", "bash"]).out;
    let ask = "COMP_WORDS=(kubectl-rds check --wa); COMP_CWORD=2; _kubectl__rds kubectl-rds --wa check; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", &format!("{script}\n{ask}")]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "--warnings-as-errors\n");
}

#[cfg(unix)]
#[test]
fn kubectl_s_completion_script_asks_the_binary() {
    use std::process::Command;

    let binary = Path::new(env!("CARGO_BIN_EXE_kubectl-rds")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/kubectl_complete-rds");
    let output = Command::new(script).args(["check", "--out"]).env("PATH", path).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "--output\tThe form of the result\n:4\n");
}
