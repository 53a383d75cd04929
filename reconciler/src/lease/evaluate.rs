//! The decision of one round.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;

/// A Lease as this replica has seen it.
///
/// Clocks differ between machines: what counts is for how long *we* have seen the Lease unchanged, never the time written in it
/// (client-go's leaderelection judges alike).
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed<'a> {
    /// The Lease's spec; `None` where there is no Lease.
    pub(super) spec: Option<&'a LeaseSpec>,
    /// For how long it has been seen without a change.
    pub(super) unchanged_for: Duration,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// There is none: create it with us as its holder.
    Create,
    /// It is ours: renew it.
    Renew,
    /// It is free, or its holder has not renewed it in time: take it.
    Take,
    /// Somebody holds it.
    Wait,
}

/// Decides one round of the replica `me`.
pub(super) fn evaluate(observed: Observed<'_>, me: &str, lease_duration: Duration) -> Decision {
    let Some(spec) = observed.spec else {
        return Decision::Create;
    };
    match spec.holder_identity.as_deref() {
        None | Some("") => Decision::Take,
        Some(holder) if holder == me => Decision::Renew,
        Some(_) => {
            let promised = spec
                .lease_duration_seconds
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map_or(lease_duration, Duration::from_secs);
            if observed.unchanged_for > promised { Decision::Take } else { Decision::Wait }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(15);

    fn lease(holder: Option<&str>) -> LeaseSpec {
        LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: Some(15),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn one_round() {
        let table = [
            (None, 0, Decision::Create),
            (Some(lease(None)), 0, Decision::Take),
            (Some(lease(Some(""))), 0, Decision::Take),
            (Some(lease(Some("me"))), 100, Decision::Renew),
            (Some(lease(Some("other"))), 0, Decision::Wait),
            (Some(lease(Some("other"))), 15, Decision::Wait),
            (Some(lease(Some("other"))), 16, Decision::Take),
        ];
        for (spec, seconds, expected) in table {
            let observed = Observed { spec: spec.as_ref(), unchanged_for: Duration::from_secs(seconds) };
            assert_eq!(evaluate(observed, "me", DURATION), expected, "{spec:?} seen for {seconds} s");
        }
    }
}
