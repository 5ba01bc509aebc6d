"""What `bridge -j -d -s mdb show` says on standard input, in the standard's names: the addresses of
each port with their filter mode, sources and what is left of their timers in milliseconds."""

import json
import sys


def milliseconds(text):
    """The kernel tells seconds with two decimals; nothing for an entry that doesn't end."""
    return round(float(text or 0) * 1000)


def address(entry):
    """One address of a port."""
    sources = [
        {"source": source["address"], "timer_ms": milliseconds(source.get("timer"))}
        for source in entry.get("source_list", [])
    ]
    return {
        "group": entry["grp"],
        "filter_mode": entry.get("filter_mode", "exclude").upper(),
        "filter_timer_ms": milliseconds(entry.get("timer")),
        "sources": sorted(sources, key=lambda source: source["source"]),
    }


def main():
    """Prints the interfaces, one a port."""
    ports = {}
    for bridge in json.load(sys.stdin):
        for entry in bridge.get("mdb", []):
            # An entry with a source is what the bridge derives for forwarding.
            if "src" not in entry:
                ports.setdefault(entry["port"], []).append(address(entry))
    interfaces = [
        {"name": name, "groups": sorted(groups, key=lambda group: group["group"])}
        for name, groups in sorted(ports.items())
    ]
    print(json.dumps({"mld": interfaces}))


if __name__ == "__main__":
    main()
