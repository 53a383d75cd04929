//! Which connection is closed when a new one needs its place: pure.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

/// What is known of a client by what it has done so far, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It has never sent a complete request; perhaps it is in its handshake.
    Newcomer,
    /// It has asked, and never for anything that is here.
    Stranger,
    /// It was given what it asked for.
    Served,
}

/// A connection, as far as it matters for its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occupant {
    /// Names it: connections are numbered as they come.
    pub(super) number: u64,
    /// Where it comes from; whoever is behind one proxy shares it.
    pub(super) peer: IpAddr,
    pub(super) standing: Standing,
    /// When it came, or was last answered, in numbers that only grow.
    pub(super) since: u64,
    /// It has sent a whole request, and waits for the answer.
    pub(super) under_way: bool,
}

/// One place in so many is a newcomer's, whoever sits on the others: a handshake takes time, and a place that is taken away from the only newcomer
/// again and again lets nobody in.
const NEWCOMERS: usize = 4;

/// Whose place a new connection gets, of `limit` that are taken: first newcomers as long as they are many, those of the address that has most of them and
/// of these the oldest first; then strangers, then whoever was served, those that are idle longest first. Never one with a request under way; none
/// when all are.
pub(super) fn first_to_close(occupants: impl Iterator<Item = Occupant> + Clone, limit: usize) -> Option<u64> {
    let waiting = occupants.filter(|occupant| !occupant.under_way);
    let mut newcomers: HashMap<IpAddr, usize> = HashMap::new();
    for newcomer in waiting.clone().filter(|occupant| occupant.standing == Standing::Newcomer) {
        *newcomers.entry(newcomer.peer).or_default() += 1;
    }
    let spared = newcomers.values().sum::<usize>() <= limit / NEWCOMERS;
    let rank = |occupant: &Occupant| {
        let crowd = match occupant.standing {
            Standing::Newcomer => newcomers.get(&occupant.peer).copied(),
            Standing::Stranger | Standing::Served => None,
        };
        (spared && crowd.is_some(), occupant.standing, Reverse(crowd), occupant.since)
    };
    waiting.min_by_key(rank).map(|occupant| occupant.number)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use Standing::{Newcomer, Served, Stranger};

    use super::*;

    fn peer(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    /// Numbered in their order.
    fn occupants(all: &[(Standing, u64, bool)]) -> Vec<Occupant> {
        let numbered = (0..).zip(all);
        numbered
            .map(|(number, &(standing, since, under_way))| Occupant {
                number,
                peer: peer(1),
                standing,
                since,
                under_way,
            })
            .collect()
    }

    fn first(all: &[(Standing, u64, bool)]) -> Option<u64> {
        first_to_close(occupants(all).into_iter(), all.len())
    }

    #[test]
    fn i13_the_oldest_newcomer_goes_first() {
        assert_eq!(
            first(&[(Served, 1, false), (Stranger, 2, false), (Newcomer, 9, false), (Newcomer, 8, false)]),
            Some(3)
        );
    }

    #[test]
    fn i13_then_strangers_then_whoever_is_idle_longest() {
        assert_eq!(
            first(&[(Served, 1, false), (Stranger, 9, false), (Stranger, 8, false), (Served, 2, false)]),
            Some(2)
        );
        assert_eq!(first(&[(Served, 7, false), (Served, 5, false), (Served, 6, false)]), Some(1));
    }

    #[test]
    fn i13_a_request_under_way_is_never_given_up() {
        assert_eq!(first(&[(Newcomer, 1, true), (Served, 2, true), (Served, 9, false), (Stranger, 3, true)]), Some(2));
        assert_eq!(first(&[(Newcomer, 1, true), (Served, 2, true)]), None);
    }

    #[test]
    fn i13_the_last_newcomers_are_spared_while_others_only_wait() {
        let mut all = vec![(Newcomer, 1, false), (Newcomer, 2, false)];
        all.extend((3..=8).map(|since| (Served, since, false)));
        assert_eq!(first(&all), Some(2), "two of eight places are theirs");
        all[7] = (Newcomer, 9, false);
        assert_eq!(first(&all), Some(0), "three are more than their share");
        let busy: Vec<_> =
            [(Newcomer, 1, false)].into_iter().chain((2..=8).map(|since| (Served, since, true))).collect();
        assert_eq!(first(&busy), Some(0), "nobody else can go");
    }

    #[test]
    fn i13_the_newcomers_of_a_crowd_go_before_the_only_one_of_its_address() {
        let mut all =
            occupants(&[(Newcomer, 1, false), (Newcomer, 2, false), (Newcomer, 3, false), (Served, 4, false)]);
        all[0].peer = peer(2);
        assert_eq!(first_to_close(all.iter().copied(), 4), Some(1), "it has come first, and alone");
        all[1].peer = peer(3);
        assert_eq!(first_to_close(all.iter().copied(), 4), Some(0), "all have come alone");
    }
}
