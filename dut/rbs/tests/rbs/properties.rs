//! Properties: arbitrary octets do no harm; arbitrary histories end in equal tables.

use crate::common::{Dev, ID, World, config_a, config_b, exclude, include};
use dut_device::Instant;
use dut_rbs::{Entry, Session, SessionConfig};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// Something that happens to the pair.
#[derive(Debug, Clone)]
enum Step {
    Upsert {
        group: u8,
        sources: u8,
        urgent: bool,
    },
    Delete {
        group: u8,
    },
    HandOver,
    Wait {
        ms: u16,
    },
    Reset,
    Cut,
    Heal,
    /// The slave restarts.
    RestartSlave,
    /// The master restarts and the other takes over, or the master is elected again at once.
    RestartMaster {
        taken_over: bool,
    },
    /// Both are Master for a while and say different things; the first master stays.
    Split {
        group: u8,
    },
}

/// What happens without faults.
fn calm_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..6, 0_u8..8, any::<bool>())
            .prop_map(|(group, sources, urgent)| Step::Upsert { group, sources, urgent }),
        2 => (0_u8..6).prop_map(|group| Step::Delete { group }),
        2 => (0_u16..300).prop_map(|ms| Step::Wait { ms }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => calm_step(),
        1 => Just(Step::HandOver),
        1 => Just(Step::Reset),
        1 => Just(Step::Cut),
        1 => Just(Step::Heal),
        1 => Just(Step::RestartSlave),
        1 => any::<bool>().prop_map(|taken_over| Step::RestartMaster { taken_over }),
        1 => (0_u8..6).prop_map(|group| Step::Split { group }),
    ]
}

/// The world, who is Master, and how often each has booted.
struct History {
    world: World,
    master: Dev,
    boots: u64,
}

fn entry(group: u8, sources: u8) -> Entry {
    let name = format!("ff3e::{}", group + 1);
    let list = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];
    let bits = [1, 2, 4].into_iter().zip(list);
    let chosen = bits.filter(|(bit, _)| sources & bit != 0);
    let chosen: Vec<(&str, u64)> = chosen.map(|(_, s)| (s, 200_000)).collect();
    if chosen.is_empty() {
        exclude(&name, 200_000, &[("2001:db8::9", 0)])
    } else {
        include(&name, &chosen)
    }
}

impl History {
    fn new() -> Self {
        Self {
            world: World::settled(),
            master: Dev::A,
            boots: 1,
        }
    }

    fn restart(&mut self, dev: Dev) {
        self.boots += 1;
        let config = match dev {
            Dev::A => config_a(),
            Dev::B => config_b(),
        };
        let config = SessionConfig {
            boot_epoch: self.boots,
            ..config
        };
        self.world.crash(dev);
        self.world.boot(dev, config);
    }

    fn act(&mut self, step: &Step) {
        let master = self.master;
        let world = &mut self.world;
        match step {
            Step::Upsert {
                group,
                sources,
                urgent,
            } => {
                let entry = entry(*group, *sources);
                world.with(master, |s, now| s.upsert(now, ID, entry, *urgent));
            }
            Step::Delete { group } => world.delete(master, &format!("ff3e::{}", group + 1)),
            Step::Reset => world.reset(),
            Step::HandOver => {
                world.role(master, false);
                self.master = master.other();
                world.role(self.master, true);
            }
            Step::Wait { ms } => world.run_ms(u64::from(*ms)),
            Step::Cut => world.path = false,
            Step::Heal => world.path = true,
            Step::RestartSlave => self.restart(master.other()),
            Step::RestartMaster { taken_over } => {
                if *taken_over {
                    self.master = master.other();
                    world.role(self.master, true);
                }
                self.restart(master);
                if !taken_over {
                    self.world.role(master, true);
                }
            }
            Step::Split { group } => {
                let other = master.other();
                world.role(other, true);
                world.upsert(other, entry(*group, 1));
                world.upsert(master, entry(*group, 2));
                world.run_ms(100);
                world.role(other, false);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_history_ends_in_equal_tables(steps in prop::collection::vec(step(), 1..40)) {
        let mut history = History::new();
        for step in &steps {
            history.act(step);
        }
        let world = &mut history.world;
        world.path = true;
        world.reset();
        world.with(Dev::A, |s, now| s.retry_now(now));
        world.run_ms(5000);
        prop_assert!(world.synchronized());
        world.assert_equal();
    }

    #[test]
    fn without_faults_both_hold_what_was_said_last(
        steps in prop::collection::vec(calm_step(), 1..60),
    ) {
        let mut history = History::new();
        let mut model: BTreeMap<Ipv6Addr, Entry> = BTreeMap::new();
        for step in &steps {
            match step {
                Step::Upsert { group, sources, .. } => {
                    let entry = entry(*group, *sources);
                    model.insert(entry.group, entry);
                }
                Step::Delete { group } => {
                    model.remove(&entry(*group, 0).group);
                }
                _ => {}
            }
            history.act(step);
        }
        let world = &mut history.world;
        // A refresh waits 20 ms, the path takes one: well inside 50 ms and the latency.
        world.run_ms(51);
        prop_assert!(world.synchronized());
        for dev in [Dev::A, Dev::B] {
            let entries = world.session(dev).entries(world.now, ID);
            prop_assert_eq!(entries.len(), model.len());
            for entry in entries {
                let said = &model[&entry.group];
                prop_assert_eq!(entry.filter_mode, said.filter_mode);
                let sources = |e: &Entry| -> Vec<_> {
                    e.sources.iter().map(|s| (s.source, s.timer.is_zero())).collect()
                };
                prop_assert_eq!(sources(&entry), sources(said));
            }
        }
    }

    #[test]
    fn arbitrary_octets_do_no_harm(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
    ) {
        let mut b = Session::new(config_b());
        b.start(Instant::ZERO);
        b.handle_connected(Instant::ZERO);
        for (n, chunk) in (1_u64..).zip(&chunks) {
            let now = Instant::from_millis(n);
            b.handle_bytes(now, chunk);
            while b.poll_command().is_some() {}
            while b.poll_event().is_some() {}
            if let Some(next) = b.next_timeout() {
                prop_assert!(next > now);
            }
        }
        prop_assert!(!b.is_connected());
    }

    #[test]
    fn a_changed_octet_on_the_way_never_panics_and_the_pair_recovers(
        at in 0_usize..400,
        value in 1_u8..=255,
    ) {
        let mut world = World::settled();
        world.upsert(Dev::A, include("ff3e::1", &[("2001:db8::1", 200_000)]));
        let mut stream: Vec<u8> = world
            .frames
            .iter()
            .rev()
            .take(2)
            .flat_map(|(_, _, frame)| frame.to_vec())
            .collect();
        let length = stream.len();
        stream[at % length] ^= value;
        world.inject(Dev::A, &stream);
        world.run_ms(20_000);
        prop_assert!(world.synchronized());
        world.assert_equal();
    }
}
