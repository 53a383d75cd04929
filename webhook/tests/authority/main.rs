//! Certificates of our own, by the real keeper with real certificates, on a simulated cluster and clock: whatever happens, no leaf is served
//! that an API server refuses, not even one that is told late.

mod replica;
#[path = "../support/mod.rs"]
mod support;
mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use webhook::authority::certificate::{Anchor, Authority, AuthorityError};
use webhook::authority::cluster::{ClusterError, Registrar};
use webhook::authority::keeper::Problem;
use webhook::authority::ledger::{Damage, keys};
use webhook::authority::plan::SETTLED;
use webhook::tls::Validity;

use self::replica::{LAG, Replica, SECOND, Verified, accepted, lives, now, pass};
use self::support::clock;
use self::support::cluster::Simulated;

fn writes(cluster: &Simulated) -> usize {
    cluster.with(|state| state.writes)
}

fn secret_keys(cluster: &Simulated) -> Vec<String> {
    cluster.with(|state| state.secret.keys().cloned().collect())
}

#[tokio::test]
async fn from_an_empty_secret_to_a_leaf_in_one_pass_and_then_to_rest() {
    let cluster = Simulated::new(clock());
    let mut replica = Replica::start(&cluster);
    assert_eq!(replica.store.validity(clock()), Validity::Absent);
    assert_eq!(replica.look(&cluster).await.problems, []);
    assert!(replica.ready(clock()));
    assert_eq!(secret_keys(&cluster), [keys::CURRENT_CERT, keys::CURRENT_KEY]);
    assert_eq!(writes(&cluster), 3, "the Secret, and each configuration once");
    let leaf = replica.store.material().expect("a leaf");
    assert_eq!(leaf.not_after, clock() + lives().leaf);

    for _ in 0..19 {
        pass(&cluster, SECOND * 10);
        assert_eq!(replica.look(&cluster).await.problems, []);
    }
    assert_eq!(writes(&cluster), 3, "at rest nothing is written");
    assert_eq!(replica.store.material().expect("a leaf").not_after, leaf.not_after);
    pass(&cluster, SECOND * 10);
    replica.settle(&cluster).await;
    assert_eq!(replica.store.material().expect("a leaf").not_after, now(&cluster) + lives().leaf, "at two thirds");
    assert_eq!(writes(&cluster), 3, "a leaf is nobody's business");
}

#[tokio::test]
async fn an_authority_changes_in_three_moves() {
    let cluster = Simulated::new(clock());
    let mut replicas = [Replica::start(&cluster)];
    let (mut seen, mut verified) = (Vec::new(), Verified::new());
    let (mut certificates, mut issuers) = (Vec::new(), Vec::new());
    for second in 0..=(1800 / 3 * 2 + 120 + 300 + 120 + 60) {
        replicas[0].settle(&cluster).await;
        accepted(&cluster, &replicas, LAG, &mut verified).expect("accepted");
        let state = (secret_keys(&cluster), cluster.with(|state| state.past.last().map(|past| past.2.clone())));
        if seen.last().is_none_or(|(_, last)| *last != state) {
            certificates.push(Anchor::bundle(state.1.as_deref().unwrap_or_default()).len());
            seen.push((second, state));
        }
        let issuer = replicas[0].store.material().expect("a leaf").chain()[0].clone();
        if issuers.last() != Some(&issuer) {
            issuers.push(issuer);
        }
        pass(&cluster, SECOND);
    }
    let moments: Vec<_> = seen.iter().map(|(second, _)| *second).collect();
    assert_eq!(
        moments,
        [0, 1200, 1320, 1740],
        "at once, at two thirds, after the overlap, after a leaf and the overlap"
    );
    assert_eq!(certificates, [1, 2, 2, 1]);
    assert_eq!(seen[1].1.0, ["current.crt", "current.key", "next.crt", "next.key", "next.trusted-since"]);
    assert_eq!(
        seen[2].1.0,
        ["current.crt", "current.key", "previous.crt", "previous.trusted-until"],
        "the former key is gone"
    );
    assert_eq!(seen[3].1.0, ["current.crt", "current.key"]);
    assert_eq!(writes(&cluster), 3 + 4 + 1 + 3);
}

#[tokio::test]
async fn an_emptied_or_damaged_secret_costs_no_request() {
    let foreign = Authority::generate(clock(), Duration::from_secs(1800)).expect("an authority");
    let (certificate, key) = foreign.render();
    for (what, damage) in [
        ("emptied", BTreeMap::new()),
        ("no certificate", BTreeMap::from([(keys::CURRENT_CERT, "none".to_owned()), (keys::CURRENT_KEY, key.clone())])),
        ("no key", BTreeMap::from([(keys::CURRENT_CERT, certificate.clone())])),
        (
            "another authority, out of a backup",
            BTreeMap::from([(keys::CURRENT_CERT, certificate), (keys::CURRENT_KEY, key)]),
        ),
    ] {
        let cluster = Simulated::new(clock());
        let mut replicas = [Replica::start(&cluster), Replica::start(&cluster)];
        for replica in &mut replicas {
            replica.settle(&cluster).await;
        }
        let mut verified = Verified::new();
        let first = cluster.bundles(Registrar::Mutating, SignedDuration::ZERO);
        pass(&cluster, SECOND * 200);
        let damaged = damage.into_iter().map(|(key, value)| (key.to_owned(), value.into_bytes())).collect();
        cluster.replace_secret(damaged);
        for _ in 0..900 {
            for replica in &mut replicas {
                replica.settle(&cluster).await;
                assert!(replica.ready(now(&cluster)), "{what}");
            }
            accepted(&cluster, &replicas, LAG, &mut verified).unwrap_or_else(|error| panic!("{what}: {error}"));
            pass(&cluster, SECOND);
        }
        let last = cluster.bundles(Registrar::Validating, SignedDuration::ZERO);
        assert_eq!(Anchor::bundle(&last[0]).len(), 1, "{what}: the lost authority is forgotten in the end");
        assert_ne!(last, first, "{what}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_and_mended() {
    let cluster = Simulated::new(clock());
    let mut replica = Replica::start(&cluster);
    cluster.with(|state| state.no_secret = true);
    let pass_of = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let problems = replica.look(&cluster).await.problems;
    assert!(matches!(problems[..], [Problem::Cluster(ClusterError::Forbidden { .. })]), "{problems:?}");
    assert!(pass_of(problems)[0].contains("give the ServiceAccount of the webhook this right"));
    cluster.with(|state| (state.no_secret, state.no_registrations) = (false, true));
    assert_eq!(replica.look(&cluster).await.problems.len(), 2, "both configurations");
    assert_eq!(replica.store.validity(clock()), Validity::Absent, "not before the bundle is published");
    cluster.with(|state| state.no_registrations = false);
    assert_eq!(replica.look(&cluster).await.problems, []);
    assert!(replica.ready(clock()));

    // While nothing can be read, what is served is served on; while configurations cannot be, leaves are renewed.
    pass(&cluster, SECOND * 250);
    cluster.with(|state| state.no_registrations = true);
    assert_eq!(replica.look(&cluster).await.problems.len(), 2);
    assert_eq!(replica.store.material().expect("a leaf").not_after, now(&cluster) + lives().leaf);
    cluster.with(|state| (state.no_secret, state.no_registrations) = (true, false));
    pass(&cluster, SECOND * 299);
    assert_eq!(replica.look(&cluster).await.problems.len(), 1);
    assert!(replica.ready(now(&cluster)));
    pass(&cluster, SECOND * 2);
    assert_eq!(replica.store.validity(now(&cluster)), Validity::Expired);
    cluster.with(|state| state.no_secret = false);
    assert_eq!(replica.look(&cluster).await.problems, []);
    assert!(replica.ready(now(&cluster)));

    let mut blind = Replica::start(&cluster);
    cluster.with(|state| state.no_registrations = true);
    assert_eq!(blind.look(&cluster).await.problems.len(), 2);
    assert_eq!(blind.store.validity(now(&cluster)), Validity::Absent, "whom API servers trust is not known");
    cluster.with(|state| state.no_registrations = false);

    let before = cluster.bundles(Registrar::Mutating, SignedDuration::ZERO);
    for foreign in [&b""[..], b"\n", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"] {
        cluster.register(Registrar::Mutating, foreign);
        assert_eq!(replica.look(&cluster).await.problems, []);
        assert_eq!(cluster.bundles(Registrar::Mutating, SignedDuration::ZERO), before, "given back");
    }
    let other = Authority::generate(clock(), Duration::from_secs(999)).expect("an authority");
    let both = [before[0].clone(), Anchor::render_bundle([&other.anchor]).into_bytes()].concat();
    cluster.register(Registrar::Validating, &both);
    assert_eq!(replica.look(&cluster).await.problems, []);
    assert_eq!(cluster.bundles(Registrar::Validating, SignedDuration::ZERO), before, "foreigners go");

    let data = cluster.with(|state| state.secret.clone());
    for (key, damage) in [
        (keys::NEXT_TRUSTED, Damage::Time { key: keys::NEXT_TRUSTED }),
        (keys::PREVIOUS_UNTIL, Damage::Time { key: keys::PREVIOUS_UNTIL }),
        (keys::NEXT_KEY, Damage::Authority { key: keys::NEXT_CERT, error: AuthorityError::NotACertificate }),
    ] {
        let mut damaged = data.clone();
        damaged.insert(key.to_owned(), b"soon".to_vec());
        cluster.replace_secret(damaged);
        assert_eq!(replica.look(&cluster).await.problems, [Problem::Damaged(damage)]);
        assert_eq!(cluster.with(|state| state.secret.clone()), data, "{key} is gone, the rest stays");
    }
}

#[tokio::test]
async fn who_takes_over_from_cert_manager_keeps_its_authority_for_a_while() {
    let cluster = Simulated::new(clock());
    let other = Authority::generate(clock(), Duration::from_hours(87_600)).expect("an authority");
    let trusted = Anchor::render_bundle([&other.anchor]);
    for registrar in Registrar::ALL {
        cluster.register(registrar, trusted.as_bytes());
    }
    let mut replica = Replica::start(&cluster);
    replica.settle(&cluster).await;
    assert_eq!(replica.store.validity(now(&cluster)), Validity::Absent, "others have leaves that are known better");
    let bundle = &cluster.bundles(Registrar::Mutating, SignedDuration::ZERO)[0];
    assert_eq!(Anchor::bundle(bundle).len(), 2);
    pass(&cluster, SignedDuration::try_from(SETTLED).expect("short"));
    replica.settle(&cluster).await;
    assert!(replica.ready(now(&cluster)));
    pass(&cluster, SECOND * 560);
    for _ in 0..3 {
        replica.settle(&cluster).await;
        pass(&cluster, SECOND);
    }
    let bundle = &cluster.bundles(Registrar::Mutating, SignedDuration::ZERO)[0];
    assert!(!Anchor::bundle(bundle).contains(&other.anchor), "its last leaf has ended");
}

#[tokio::test]
async fn a_secret_from_before_the_last_authority_costs_no_request() {
    let cluster = Simulated::new(clock());
    let mut replicas = [Replica::start(&cluster), Replica::start(&cluster)];
    for replica in &mut replicas {
        replica.settle(&cluster).await;
    }
    let (backup, mut verified) = (cluster.with(|state| state.secret.clone()), Verified::new());
    for second in 0..2_700 {
        // The next authority signs since 1320 and the former one is still trusted.
        if second == 1_500 {
            cluster.replace_secret(backup.clone());
        }
        for replica in 0..replicas.len() {
            replicas[replica].settle(&cluster).await;
            // Before the other has seen it, too.
            accepted(&cluster, &replicas, LAG, &mut verified).expect("accepted");
            assert!(replicas[replica].ready(now(&cluster)), "{second}");
        }
        pass(&cluster, SECOND);
    }
}

#[tokio::test]
async fn the_overlap_begins_when_the_bundles_were_written() {
    let cluster = Simulated::new(clock());
    let mut replica = Replica::start(&cluster);
    replica.settle(&cluster).await;
    pass(&cluster, SECOND * 1200);
    cluster.with(|state| state.slow = SECOND * 12);
    replica.settle(&cluster).await;
    let since = cluster.with(|state| state.secret[keys::NEXT_TRUSTED].clone());
    let last = cluster.with(|state| state.past.last().expect("bundles").0);
    assert_eq!(String::from_utf8(since).expect("text"), last.to_string());
    assert_eq!(last, clock() + SECOND * 1224);
}

#[tokio::test]
async fn who_lives_in_another_time_changes_nothing() {
    let cluster = Simulated::new(clock());
    let mut replica = Replica::start(&cluster);
    replica.settle(&cluster).await;
    let (writes_before, day) = (writes(&cluster), SignedDuration::from_hours(24));
    for (ahead, said) in [(day, "1440 min ahead of"), (-day, "1440 min behind"), (SECOND * 301, "5 min ahead of")] {
        let mut lost = Replica::with(&cluster, lives(), ahead);
        let problems = lost.look(&cluster).await.problems;
        assert!(matches!(problems[..], [Problem::Clock { .. }]), "{problems:?}");
        assert!(problems[0].to_string().contains(said), "{}", problems[0]);
        assert_eq!(lost.store.validity(now(&cluster)), Validity::Absent);
    }
    assert_eq!(writes(&cluster), writes_before);
}

#[tokio::test]
async fn what_a_wrong_clock_has_left_behind_is_not_used() {
    let cluster = Simulated::new(clock());
    let mut replicas = [Replica::start(&cluster), Replica::start(&cluster)];
    for replica in &mut replicas {
        replica.settle(&cluster).await;
    }
    let later = clock() + SignedDuration::from_hours(24);
    let future = Authority::generate(later, Duration::from_secs(1800)).expect("an authority");
    let (certificate, key) = future.render();
    let data = BTreeMap::from([(keys::CURRENT_CERT, certificate), (keys::CURRENT_KEY, key)]);
    cluster.replace_secret(data.into_iter().map(|(key, value)| (key.to_owned(), value.into_bytes())).collect());
    let problems = replicas[0].look(&cluster).await.problems;
    let begins = future.anchor.not_before;
    let damage = Damage::Authority { key: keys::CURRENT_CERT, error: AuthorityError::NotBegun(begins) };
    assert_eq!(problems, [Problem::Damaged(damage)]);
    let mut verified = Verified::new();
    for second in 0..900 {
        for replica in &mut replicas {
            replica.settle(&cluster).await;
            assert!(replica.ready(now(&cluster)), "{second}");
        }
        accepted(&cluster, &replicas, LAG, &mut verified).expect("accepted");
        pass(&cluster, SECOND);
    }

    pass(&cluster, SECOND * 600);
    replicas[0].settle(&cluster).await;
    let trusted = |time: Timestamp| {
        cluster.with(|state| {
            let mut data = state.secret.clone();
            data.insert(keys::NEXT_TRUSTED.to_owned(), time.to_string().into_bytes()).expect("a next one");
            data
        })
    };
    cluster.replace_secret(trusted(later));
    assert_eq!(replicas[0].look(&cluster).await.problems, []);
    let data = cluster.with(|state| state.secret.clone());
    assert_eq!(data, trusted(now(&cluster)), "the overlap begins now");
}

#[tokio::test]
async fn what_cert_manager_writes_is_left_to_it() {
    let cluster = Simulated::new(clock());
    let other = Authority::generate(clock(), Duration::from_hours(87_600)).expect("an authority");
    let trusted = Anchor::render_bundle([&other.anchor]).into_bytes();
    for registrar in Registrar::ALL {
        cluster.register(registrar, &trusted);
        cluster.annotate(registrar, Some("cert-manager.io/inject-ca-from"));
    }
    let bundle = |registrar| cluster.bundles(registrar, SignedDuration::ZERO)[0].clone();
    let mut replica = Replica::start(&cluster);
    for left in [2, 1] {
        let problems = replica.look(&cluster).await.problems;
        assert_eq!(problems.len(), left);
        let said = problems[0].to_string();
        assert!(
            said.contains("annotated with cert-manager.io/inject-ca-from: its caBundle is cert-manager's"),
            "{said}"
        );
        assert_eq!(bundle(Registrar::Validating), trusted);
        assert_eq!(replica.store.validity(now(&cluster)), Validity::Absent, "who is trusted by it is not ours to say");
        cluster.annotate(Registrar::Mutating, None);
        pass(&cluster, SECOND * 20);
    }
    assert_eq!(Anchor::bundle(&bundle(Registrar::Mutating)).len(), 2, "this one is ours by now");
    cluster.annotate(Registrar::Validating, None);
    replica.settle(&cluster).await;
    pass(&cluster, SignedDuration::try_from(SETTLED).expect("short"));
    replica.settle(&cluster).await;
    assert!(replica.ready(now(&cluster)));

    pass(&cluster, SECOND * 130);
    replica.settle(&cluster).await;

    // Back again: what is served is served on, and renewed, and the bundles are cert-manager's.
    for registrar in Registrar::ALL {
        cluster.annotate(registrar, Some("cert-manager.io/inject-ca-from"));
        cluster.register(registrar, &trusted);
    }
    pass(&cluster, SECOND * 100);
    assert_eq!(replica.look(&cluster).await.problems.len(), 2);
    assert!(replica.ready(now(&cluster) + SECOND * 200));
    assert_eq!(Registrar::ALL.map(bundle), [trusted.clone(), trusted]);
}

/// docs/install.md, changing over to cert-manager.
#[tokio::test]
async fn whom_the_secret_names_as_previous_is_trusted_beforehand() {
    let cluster = Simulated::new(clock());
    let mut replica = Replica::start(&cluster);
    replica.settle(&cluster).await;
    let other = Authority::generate(clock(), Duration::from_hours(87_600)).expect("an authority");
    let mut data = cluster.with(|state| state.secret.clone());
    data.insert(keys::PREVIOUS_CERTS.to_owned(), Anchor::render_bundle([&other.anchor]).into_bytes());
    cluster.replace_secret(data.clone());
    for after in [0, 250, 40] {
        pass(&cluster, SECOND * after);
        replica.settle(&cluster).await;
        assert!(replica.ready(now(&cluster)));
        for registrar in Registrar::ALL {
            let bundle = Anchor::bundle(&cluster.bundles(registrar, SignedDuration::ZERO)[0]);
            assert_eq!(bundle.len(), 2, "{registrar} after {after}");
            assert!(bundle.contains(&other.anchor), "{registrar} after {after}");
        }
    }
    data.insert(keys::PREVIOUS_UNTIL.to_owned(), now(&cluster).to_string().into_bytes());
    cluster.replace_secret(data);
    replica.settle(&cluster).await;
    let bundle = Anchor::bundle(&cluster.bundles(Registrar::Mutating, SignedDuration::ZERO)[0]);
    assert!(!bundle.contains(&other.anchor), "until somebody says until when");
}
