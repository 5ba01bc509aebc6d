//! What a socket, and the whole interface, asks of a multicast address (RFC 3810 3, 4).

use crate::FilterMode;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;

/// Source addresses, in order.
pub type Sources = BTreeSet<Ipv6Addr>;

/// Filter mode with its source list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Filter mode.
    pub mode: FilterMode,
    /// Source list.
    pub sources: Sources,
}

impl Filter {
    /// INCLUDE of these sources; of none it is not listening at all.
    #[must_use]
    pub const fn include(sources: Sources) -> Self {
        Self {
            mode: FilterMode::Include,
            sources,
        }
    }

    /// EXCLUDE of these sources; of none it is every source.
    #[must_use]
    pub const fn exclude(sources: Sources) -> Self {
        Self {
            mode: FilterMode::Exclude,
            sources,
        }
    }

    /// INCLUDE without sources.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::include(Sources::new())
    }

    /// Whether it is INCLUDE without sources.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.mode == FilterMode::Include && self.sources.is_empty()
    }

    /// Whether packets of this source are wanted.
    #[must_use]
    pub fn wants(&self, source: &Ipv6Addr) -> bool {
        (self.mode == FilterMode::Include) == self.sources.contains(source)
    }

    /// The interface's state from those of its sockets (RFC 3810 4.2): EXCLUDE when one is, of the
    /// sources that all of these exclude and nobody includes.
    #[must_use]
    pub fn merge(requests: &[&Self]) -> Self {
        let of = |mode| requests.iter().filter(move |filter| filter.mode == mode);
        let included = of(FilterMode::Include).flat_map(|filter| &filter.sources);
        let included: Sources = included.copied().collect();
        let mut excluding = of(FilterMode::Exclude);
        let Some(first) = excluding.next() else {
            return Self::include(included);
        };
        let mut excluded = first.sources.clone();
        for filter in excluding {
            excluded.retain(|source| filter.sources.contains(source));
        }
        excluded.retain(|source| !included.contains(source));
        Self::exclude(excluded)
    }
}
