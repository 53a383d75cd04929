//! How far the peer still has the rules that our webhook has: it keeps those of v0.1.0, and a peer that does less is no measure.

mod cases;
mod decision;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use self::cases::Case;
use self::decision::Decision;
use super::connection::{Answer, Connection};
use super::service::{Contender, Identity, Service};
use crate::report::{Table, progress};

/// The longest a start may take.
const START: Duration = Duration::from_secs(10);

/// Most decisions, and most wordings, that are told one by one.
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
    /// What is decided otherwise since v0.1.0: admitted, patched, warned of, or refused at which field for which reason.
    decisions: Vec<Difference>,
    /// What is decided alike and worded otherwise.
    wordings: Vec<Difference>,
}

/// Two answers to one review, or two texts of them.
#[derive(Debug)]
struct Difference {
    case: String,
    ours: String,
    theirs: String,
}

impl Difference {
    fn new(case: &Case, ours: &str, theirs: &str) -> Self {
        Self { case: cell(&case.what), ours: cell(ours), theirs: cell(theirs) }
    }
}

/// Asks both the same reviews.
///
/// # Errors
/// When one does not start, or answers no review.
pub(super) fn compare(ours: &Contender, peer: &Contender, identity: &Identity) -> Result<Agreement> {
    let cases = cases::all()?;
    progress(&format!("{} reviews, to see that {} and {} agree", cases.len(), ours.kind.name(), peer.kind.name()));
    let [ours, theirs] = [ours, peer].map(|contender| answers(contender, identity, &cases));
    Ok(judge(&cases, &ours?, &theirs?))
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

fn judge(cases: &[Case], ours: &[Decision], theirs: &[Decision]) -> Agreement {
    let mut agreement = Agreement { asked: cases.len(), refused: 0, decisions: Vec::new(), wordings: Vec::new() };
    for (case, (ours, theirs)) in cases.iter().zip(ours.iter().zip(theirs)) {
        agreement.refused += usize::from(!ours.allowed && !theirs.allowed);
        if !ours.agrees_with(theirs) {
            agreement.decisions.push(Difference::new(case, &ours.to_string(), &theirs.to_string()));
            continue;
        }
        let texts = ours.texts.iter().zip(&theirs.texts).filter(|(ours, theirs)| ours != theirs);
        agreement.wordings.extend(texts.map(|(ours, theirs)| {
            let [ours, theirs] = [ours, theirs].map(|text| text.as_str().unwrap_or_default());
            Difference::new(case, ours, theirs)
        }));
    }
    agreement
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
            "{} reviews that rds-webhook and controller-runtime answered alike in v0.1.0, {} of them refused by both; {} are decided otherwise by \
             now (admitted, patched, warned of, or refused at which field for which reason), and {} texts are worded otherwise",
            self.asked,
            self.refused,
            self.decisions.len(),
            self.wordings.len()
        );
        let mut table = Table::new("Agreement", note, &["review", "rds-webhook", "controller-runtime"]);
        for Difference { case, ours, theirs } in self.decisions.iter().take(TOLD).chain(self.wordings.iter().take(TOLD))
        {
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
    fn words_and_decisions_are_told_apart() {
        let cases = &cases::all().unwrap()[..1];
        let agreement = judge(cases, &[refusal("spec.size", "a|b")], &[refusal("spec.size", "c")]);
        assert_eq!((agreement.refused, agreement.decisions.len(), agreement.wordings.len()), (1, 0, 2));
        assert!(agreement.table().markdown().contains("| a\\|b"));
        let agreement = judge(cases, &[refusal("spec.size", "a")], &[refusal("spec.type", "a")]);
        assert_eq!((agreement.decisions.len(), agreement.wordings.len()), (1, 0));
        assert!(agreement.table().markdown().contains("1 are decided otherwise"));
    }
}
