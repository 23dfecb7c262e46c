#!/usr/bin/env python3
"""Holds the ledger against the results of a test run, and writes docs/conformance.md from both."""

import argparse
import fnmatch
import pathlib
import sys
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ORDER = ["arp", "ipv4", "icmp", "forwarding", "nat", "udp", "tcp", "rto", "timestamps", "congestion",
         "recovery", "ecn", "pmtu", "security"]
NUMBERED = {"MUST": 69, "SHLD": 31, "MAY": 18, "REC": 1}  # RFC 9293, appendix B
STATUSES = ("done", "partly", "not done", "not applicable")
HEAD = """# Conformance

What the RFCs ask for, and which test shows that we do it. Written by `make test` from
`tests/conformance/` and the results of its run; a row whose tests have not all passed stops it.

"""


def results(path):
    """Whether each test passed, by its name without the parameters."""
    passed = {}
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name").split("  #")[0].strip()
        passed[name] = case.get("status") == "run"
    return passed


def rows(path):
    """(line number, source, requirement, status, tests) of each row; the title comes first."""
    title = ""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("# "):
            title = line[2:]
        elif line.strip():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) != 4:
                sys.exit(f"{path.name}:{number}: expected four cells, found {len(cells)}")
            tests = [test.strip() for test in cells[3].split(";") if test.strip()]
            found.append((number, *cells[:3], tests))
    return title, found


def check(path, number, status, tests, passed):
    where = f"tests/conformance/{path.name}:{number}"
    kind = status.split(":")[0]
    if kind not in STATUSES:
        yield f"{where}: the status is {status!r}, not one of {', '.join(STATUSES)}"
    if kind != "done" and ":" not in status:
        yield f"{where}: {kind!r} without a reason"
    if kind in ("done", "partly") and not tests:
        yield f"{where}: {kind!r} without a test"
    for test in tests:
        names = fnmatch.filter(passed, test)
        if not names:
            yield f"{where}: no such test: {test}"
        for name in names:
            if not passed[name]:
                yield f"{where}: has not passed: {name}"


def missing_numbers(sources):
    """RFC 9293 numbers its requirements: each has a row."""
    for kind, last in NUMBERED.items():
        for number in range(1, last + 1):
            if sources.count(f"RFC 9293 {kind}-{number}") != 1:
                yield f"tests/conformance/tcp.ledger: not one row for {kind}-{number}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, help="ctest --output-junit")
    parser.add_argument("--page", required=True, help="docs/conformance.md")
    options = parser.parse_args()
    passed = results(options.results)
    problems = []
    page = HEAD
    count = {status: 0 for status in STATUSES}
    for name in ORDER:
        path = HERE / f"{name}.ledger"
        title, found = rows(path)
        if name == "tcp":
            problems += missing_numbers([row[1] for row in found])
        page += f"## {title}\n\n| where | what | status | tests |\n|---|---|---|---|\n"
        for number, source, requirement, status, tests in found:
            problems += check(path, number, status, tests, passed)
            count[status.split(":")[0]] = count.get(status.split(":")[0], 0) + 1
            listed = "<br>".join(f"`{test}`" for test in tests)
            page += f"| {source} | {requirement} | {status} | {listed} |\n"
        page += "\n"
    summary = ", ".join(f"{count[status]} {status}" for status in STATUSES)
    page += f"Together: {summary}.\n"
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    target = pathlib.Path(options.page)
    before = target.read_text() if target.exists() else ""
    if page != before:
        target.write_text(page)
        print(f"{options.page} was out of date and has been written anew: commit it", file=sys.stderr)
        sys.exit(1)
    print(f"conformance: {summary}")


if __name__ == "__main__":
    main()
