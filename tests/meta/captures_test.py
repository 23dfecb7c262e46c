"""Every capture has a recipe and a line that says what to see; what the wire says it did is what was seen."""

import csv
import os
import re
import struct
import sys

import rules

sys.dont_write_bytecode = True
ETHERNET = 1
HOSTS = {"client": "ab", "server": "ba"}
# Their recorders leave frames out, on purpose.
INCOMPLETE = {"recorder-misses", "no-handshake"}
COPIES = {"drop": 0, "dup": 2}


def frames(path):
    """(link type, [(sender's MAC, length on the wire)]) of a little-endian pcap file."""
    with open(path, "rb") as file:
        content = file.read()
    link, at, found = struct.unpack_from("<I", content, 20)[0], 24, []
    while at < len(content):
        kept, length = struct.unpack_from("<II", content, at + 8)
        found.append((content[at + 22:at + 28].hex(":"), length))
        at += 16 + kept
    return link, found


def is_part_of(some, everything):
    rest = iter(everything)
    return all(one in rest for one in some)


def truth_problems(folder, name, macs):
    with open(f"{folder}/{name}.truth.tsv", encoding="ascii") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for sender, direction in HOSTS.items():
        rows_of_it = [row for row in rows if row["dir"] == direction]
        if [int(row["n"]) for row in rows_of_it] != list(range(1, len(rows_of_it) + 1)):
            yield f"{name}: frames of {direction} are not numbered in order"
        sent = [int(row["len"]) for row in rows_of_it]
        arrived = [int(row["len"]) for row in rows_of_it
                   for _ in range(COPIES.get(row["action"], 1))]
        for host in HOSTS:
            path = f"{folder}/{name}.{host}.pcap"
            link, seen = frames(path) if os.path.exists(path) else (None, [])
            lengths = [length for mac, length in seen if mac == macs[sender]]
            if link != ETHERNET or not lengths:
                continue  # recorded elsewhere than at an end of the wire
            expected = sent if host == sender else arrived
            # What is held back arrives later than its turn.
            good = is_part_of(lengths, expected) if name in INCOMPLETE else \
                sorted(lengths) == sorted(expected)
            if not good:
                yield f"{name}: the {host} saw other frames of the {sender} than the wire"


def main():
    options = rules.arguments()
    folder = os.path.join(options.root, "captures")
    sys.path.insert(0, os.path.join(folder, "tools"))
    import lab
    import registry
    import scenarios, scenarios_paths, scenarios_peers, scenarios_tcp  # noqa: E401,F401
    with open(f"{folder}/README.md", encoding="utf-8") as file:
        lines = re.findall(r"^\| `([\w-]+)` \|", file.read(), re.MULTILINE)
    there = {file.split(".")[0] for file in os.listdir(folder) if file.endswith(".pcap")}
    problems = []
    for what, names in (("no recording", there), ("no recipe", set(registry.SCENARIOS)),
                        ("no line in README.md", set(lines))):
        missing = (there | set(registry.SCENARIOS) | set(lines)) - names
        problems += [f"{name}: {what}" for name in sorted(missing)]
    problems += [f"{name}: two lines in README.md" for name in set(lines) if lines.count(name) > 1]
    for name in sorted(there):
        if os.path.exists(f"{folder}/{name}.truth.tsv"):
            problems += truth_problems(folder, name, lab.MAC)
    rules.report(problems, len(there), "captures")


if __name__ == "__main__":
    main()
