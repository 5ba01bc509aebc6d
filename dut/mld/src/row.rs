//! The rows of the router tables, each with its permanent id.

/// A row of a router table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// RFC 3810 7.4.1: INCLUDE (A), IS_IN (B).
    IncludeIsIn,
    /// RFC 3810 7.4.1: INCLUDE (A), IS_EX (B).
    IncludeIsEx,
    /// RFC 3810 7.4.1: EXCLUDE (X,Y), IS_IN (A).
    ExcludeIsIn,
    /// RFC 3810 7.4.1: EXCLUDE (X,Y), IS_EX (A).
    ExcludeIsEx,
    /// RFC 3810 7.4.2: INCLUDE (A), ALLOW (B).
    IncludeAllow,
    /// RFC 3810 7.4.2: INCLUDE (A), BLOCK (B).
    IncludeBlock,
    /// RFC 3810 7.4.2: INCLUDE (A), TO_EX (B).
    IncludeToEx,
    /// RFC 3810 7.4.2: INCLUDE (A), TO_IN (B).
    IncludeToIn,
    /// RFC 3810 7.4.2: EXCLUDE (X,Y), ALLOW (A).
    ExcludeAllow,
    /// RFC 3810 7.4.2: EXCLUDE (X,Y), BLOCK (A).
    ExcludeBlock,
    /// RFC 3810 7.4.2: EXCLUDE (X,Y), TO_EX (A).
    ExcludeToEx,
    /// RFC 3810 7.4.2: EXCLUDE (X,Y), TO_IN (A).
    ExcludeToIn,
    /// RFC 3810 7.2.3: INCLUDE, a source timer expires: the source is deleted.
    IncludeSourceExpires,
    /// RFC 3810 7.2.3: EXCLUDE, a source timer expires: X to Y.
    ExcludeSourceExpires,
    /// RFC 3810 7.5: EXCLUDE, the filter timer expires, X isn't empty: to INCLUDE (X).
    FilterExpiresToInclude,
    /// RFC 3810 7.5: EXCLUDE, the filter timer expires, X is empty: the record is deleted.
    FilterExpiresToNone,
    /// RFC 3810 8.3.2: the Older Version Host Present timer expires.
    OlderVersionHostExpires,
    /// RFC 2710 6: No Listeners Present, report received.
    NoListenersReport,
    /// RFC 2710 6: Listeners Present, report received.
    ListenersReport,
    /// RFC 2710 6, querier: Listeners Present, done received.
    ListenersDone,
    /// RFC 2710 6, non-querier: Listeners Present, specific query received.
    ListenersSpecificQuery,
    /// RFC 2710 6: Listeners Present, timer expired.
    ListenersTimerExpires,
    /// RFC 2710 6: Checking Listeners, report received.
    CheckingReport,
    /// RFC 2710 6: Checking Listeners, rexmt timer expired.
    CheckingRexmtTimerExpires,
    /// RFC 2710 6: Checking Listeners, specific query received.
    CheckingSpecificQuery,
    /// RFC 2710 6: Checking Listeners, timer expired.
    CheckingTimerExpires,
}

impl Row {
    /// Every row, in order of id.
    pub const ALL: &[Self] = &[
        Self::IncludeIsIn,
        Self::IncludeIsEx,
        Self::ExcludeIsIn,
        Self::ExcludeIsEx,
        Self::IncludeAllow,
        Self::IncludeBlock,
        Self::IncludeToEx,
        Self::IncludeToIn,
        Self::ExcludeAllow,
        Self::ExcludeBlock,
        Self::ExcludeToEx,
        Self::ExcludeToIn,
        Self::IncludeSourceExpires,
        Self::ExcludeSourceExpires,
        Self::FilterExpiresToInclude,
        Self::FilterExpiresToNone,
        Self::OlderVersionHostExpires,
        Self::NoListenersReport,
        Self::ListenersReport,
        Self::ListenersDone,
        Self::ListenersSpecificQuery,
        Self::ListenersTimerExpires,
        Self::CheckingReport,
        Self::CheckingRexmtTimerExpires,
        Self::CheckingSpecificQuery,
        Self::CheckingTimerExpires,
    ];

    /// The row's permanent id.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::IncludeIsIn => "MLD-ROW-01",
            Self::IncludeIsEx => "MLD-ROW-02",
            Self::ExcludeIsIn => "MLD-ROW-03",
            Self::ExcludeIsEx => "MLD-ROW-04",
            Self::IncludeAllow => "MLD-ROW-05",
            Self::IncludeBlock => "MLD-ROW-06",
            Self::IncludeToEx => "MLD-ROW-07",
            Self::IncludeToIn => "MLD-ROW-08",
            Self::ExcludeAllow => "MLD-ROW-09",
            Self::ExcludeBlock => "MLD-ROW-10",
            Self::ExcludeToEx => "MLD-ROW-11",
            Self::ExcludeToIn => "MLD-ROW-12",
            Self::IncludeSourceExpires => "MLD-ROW-13",
            Self::ExcludeSourceExpires => "MLD-ROW-14",
            Self::FilterExpiresToInclude => "MLD-ROW-15",
            Self::FilterExpiresToNone => "MLD-ROW-16",
            Self::OlderVersionHostExpires => "MLD-ROW-17",
            Self::NoListenersReport => "MLD-ROW-18",
            Self::ListenersReport => "MLD-ROW-19",
            Self::ListenersDone => "MLD-ROW-20",
            Self::ListenersSpecificQuery => "MLD-ROW-21",
            Self::ListenersTimerExpires => "MLD-ROW-22",
            Self::CheckingReport => "MLD-ROW-23",
            Self::CheckingRexmtTimerExpires => "MLD-ROW-24",
            Self::CheckingSpecificQuery => "MLD-ROW-25",
            Self::CheckingTimerExpires => "MLD-ROW-26",
        }
    }
}
