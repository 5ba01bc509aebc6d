//! Text that XML can hold.

/// The text without the control characters that XML 1.0 forbids, and without `]]>`, which ends a
/// CDATA section: crate junit-report writes both as they are.
#[must_use]
pub fn clean(text: &str) -> String {
    let legal = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    let kept: String = text
        .chars()
        .map(|c| if legal(c) { c } else { '\u{fffd}' })
        .collect();
    kept.replace("]]>", "]] >")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_xml_forbids_is_replaced() {
        assert_eq!(
            clean("a\u{1b}[31mb\0c\td]]>e"),
            "a\u{fffd}[31mb\u{fffd}c\td]] >e"
        );
    }
}
