//! Whether the peer has the rules that our webhook has: a peer that does less is no measure.

mod cases;
mod decision;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use self::cases::Case;
use self::decision::Decision;
use super::connection::{Answer, Connection};
use super::service::{Contender, Identity, Service};
use crate::report::{Table, progress};

/// The longest a start may take.
const START: Duration = Duration::from_secs(10);

/// Most differences that are told one by one.
const TOLD: usize = 20;

/// Most characters of a text in the table.
const EXCERPT: usize = 160;

/// What two webhooks answered.
#[derive(Debug)]
pub(super) struct Agreement {
    /// How many reviews both were asked.
    asked: usize,
    /// How many of them both refused.
    refused: usize,
    /// What is worded otherwise.
    wordings: Vec<Wording>,
}

/// A text that differs.
#[derive(Debug)]
struct Wording {
    case: String,
    ours: String,
    theirs: String,
}

/// Asks both the same reviews.
///
/// # Errors
/// When they differ in more than the wording of a text: in what is admitted, patched, or refused at which field for which reason.
pub(super) fn compare(ours: &Contender, peer: &Contender, identity: &Identity) -> Result<Agreement> {
    let cases = cases::all()?;
    progress(&format!("{} reviews, to see that {} and {} agree", cases.len(), ours.kind.name(), peer.kind.name()));
    let [ours, theirs] = [ours, peer].map(|contender| answers(contender, identity, &cases));
    judge(&cases, &ours?, &theirs?)
}

fn answers(contender: &Contender, identity: &Identity, cases: &[Case]) -> Result<Vec<Decision>> {
    let service = Service::start(contender, identity)?;
    service.wait_until_listening(START)?;
    let mut connection = Connection::open(service.endpoint())?;
    let mut ask = |case: &Case| {
        let request = case.request()?;
        let Answer { head, body } = connection.ask(request.bytes())?;
        ensure!(head.starts_with(b"HTTP/1.1 200 "), "answered with {}", String::from_utf8_lossy(head));
        Decision::read(body, request.uid())
    };
    let what = |case: &Case| format!("{}, asked for {}; {}", contender.kind.name(), case.what, service.log());
    cases.iter().map(|case| ask(case).with_context(|| what(case))).collect()
}

fn judge(cases: &[Case], ours: &[Decision], theirs: &[Decision]) -> Result<Agreement> {
    let mut differences = Vec::new();
    let mut wordings = Vec::new();
    for (case, (ours, theirs)) in cases.iter().zip(ours.iter().zip(theirs)) {
        if let Some(expected) = &case.expected
            && !ours.says(expected)
        {
            differences.push(format!("{}: rds-webhook should refuse it with {expected:?}: {ours}", case.what));
        }
        if !ours.agrees_with(theirs) {
            differences.push(format!("{}: \n  rds-webhook: {ours}\n  its peer:    {theirs}", case.what));
        }
        let texts = ours.texts.iter().zip(&theirs.texts).filter(|(ours, theirs)| ours != theirs);
        wordings.extend(texts.map(|(ours, theirs)| {
            let [ours, theirs] = [ours, theirs].map(|text| cell(text.as_str().unwrap_or_default()));
            Wording { case: case.what.clone(), ours, theirs }
        }));
    }
    if !differences.is_empty() {
        let told = &differences[..differences.len().min(TOLD)];
        bail!(
            "{} of {} answers differ; the peer is no measure then:\n{}",
            differences.len(),
            cases.len(),
            told.join("\n")
        );
    }
    let refused = ours.iter().filter(|decision| !decision.allowed).count();
    Ok(Agreement { asked: cases.len(), refused, wordings })
}

/// A text for a table: its end where it is long, because that is where lists of mistakes differ.
fn cell(text: &str) -> String {
    let shown = match text.char_indices().rev().nth(EXCERPT) {
        Some((start, _)) => format!("…{}", &text[start..]),
        None => text.to_owned(),
    };
    shown.replace('|', "\\|")
}

impl Agreement {
    /// What differs, for a result.
    pub(super) fn table(&self) -> Table {
        let note = format!(
            "{} reviews asked of rds-webhook and controller-runtime, {} of them refused by both, every answer the same in what is admitted, \
             patched, and refused at which field for which reason; {} texts are worded otherwise",
            self.asked,
            self.refused,
            self.wordings.len()
        );
        let mut table = Table::new("Agreement", note, &["review", "rds-webhook", "controller-runtime"]);
        for Wording { case, ours, theirs } in self.wordings.iter().take(TOLD) {
            table.row([case, ours, theirs]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(field: &str, message: &str) -> Decision {
        let answer = json!({"response": {"uid": "u", "allowed": false, "warnings": [], "status": {
            "code": 422, "reason": "Invalid", "message": message,
            "details": {"causes": [{"field": field, "reason": "FieldValueInvalid", "message": message}]},
        }}});
        Decision::read(answer.to_string().as_bytes(), b"u").unwrap()
    }

    #[test]
    fn words_may_differ_and_decisions_may_not() {
        let cases = &cases::all().unwrap()[..1];
        let agreement = judge(cases, &[refusal("spec.size", "a|b")], &[refusal("spec.size", "c")]).unwrap();
        assert_eq!((agreement.asked, agreement.refused, agreement.wordings.len()), (1, 1, 2));
        assert!(agreement.table().markdown().contains("| a\\|b"));
        let error = judge(cases, &[refusal("spec.size", "a")], &[refusal("spec.type", "a")]).unwrap_err();
        assert!(error.to_string().starts_with("1 of 1 answers differ"), "{error}");
    }
}
