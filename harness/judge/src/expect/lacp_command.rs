//! What a command to the device changes of what its ports say.

/// What is another one from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Changes {
    /// LACP_Timeout of all ports: whether it is Short_Timeout.
    Short(bool),
    /// LACP_Activity of all ports: whether it is Active_LACP.
    Active(bool),
    /// The Actor's identity or Aggregation, of one port or all.
    Actor,
    /// Whether LACP is enabled on the port of this name among the tester's.
    Enabled(String, bool),
}

/// Of an action's note; `None` for what changes nothing of this.
pub(super) fn changes(action: &str) -> Option<Changes> {
    let (_, command) = action.split_once(": ")?;
    let words: Vec<&str> = command.split(' ').collect();
    match words.as_slice() {
        ["lacp", "timeout", timeout] => Some(Changes::Short(*timeout == "fast")),
        ["lacp", "activity", activity] => Some(Changes::Active(*activity == "active")),
        ["lacp", "key" | "priority" | "aggregation", ..] => Some(Changes::Actor),
        ["lacp", what @ ("enable" | "disable"), port] => {
            let number = port.rsplit('/').next()?;
            Some(Changes::Enabled(format!("p{number}"), *what == "enable"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a note of a command is told from one of anything else, and what it changes.
    #[test]
    fn a_command_is_told_by_its_note() {
        let told = |text: &str| changes(&format!("dut: {text}"));
        assert_eq!(told("lacp timeout slow"), Some(Changes::Short(false)));
        assert_eq!(told("lacp activity active"), Some(Changes::Active(true)));
        assert_eq!(told("lacp priority GE0/1/1 7"), Some(Changes::Actor));
        let disabled = Changes::Enabled("p2".to_owned(), false);
        assert_eq!(told("lacp disable GE0/1/2"), Some(disabled));
        assert_eq!(told("max active-linknumber 1"), None);
        assert_eq!(changes("link p1 down"), None);
    }
}
