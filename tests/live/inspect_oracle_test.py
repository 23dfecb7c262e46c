"""`inspect` beside tshark, segment by segment and field by field.

Over every capture of ours, and those of ../shared where it is. What we and tshark say differently has
to stand in inspect_differences.txt with its reason; one that is not there fails, and so does one that
stands there and is seen no more. What is compared, and how often, is a table in the output.
"""

import collections
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import tshark

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "captures"
TAPESTRY = os.environ["TAPESTRY"]
ANALYSIS = """retransmission fast_retransmission spurious_retransmission out_of_order lost_segment
ack_lost_segment duplicate_ack zero_window window_update window_full zero_window_probe
zero_window_probe_ack keep_alive keep_alive_ack reused_ports""".split()
NOTATION = re.compile(r"(\S+) (\d+):\d+\((\d+)\)(?: ack (\d+))?(?: win (\d+))?(?: urg \d+)?(?: <(.*)>)?")
LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}
CHECKSUMS = {"good": "1", "wrong": "0", "partial": "0", "not checked": "2"}
# Captures that are refused, each with the words that have to be in the one line that says so.
REFUSED = {
    "zeek-nflog-http.pcap": "link type NFLOG is not read",
    "ppp-many_interfaces-1.pcapng": "a type 0 different from the type of the first interface",
    "ppp-solaris.snoop": "unknown file format",
}


def inspect(path):
    done = subprocess.run([TAPESTRY, "inspect", "--json", str(path)], capture_output=True, text=True,
                          check=False, timeout=60)
    return done, json.loads(done.stdout) if done.stdout else None


class Options:
    """TCP options as tshark has them, in our words: timestamps count from the first of a direction."""

    def __init__(self):
        self.clock = {}

    def words(self, row):
        here = (row["tcp.stream"], row["ip.src"], row["tcp.srcport"])
        there = (row["tcp.stream"], row["ip.dst"], row["tcp.dstport"])
        words = []
        if row["tcp.options.mss_val"]:
            words.append("mss " + row["tcp.options.mss_val"])
        if row["tcp.options.sack_perm"]:
            words.append("sackOK")
        if row["tcp.options.timestamp.tsval"]:
            value = int(row["tcp.options.timestamp.tsval"])
            echo = int(row["tcp.options.timestamp.tsecr"])
            value -= self.clock.setdefault(here, value - 1)
            if echo and there in self.clock:
                echo -= self.clock[there]
            words.append(f"TS val {value % 2**32} ecr {echo % 2**32}")
        if row["tcp.options.wscale.shift"]:
            words.append("wscale " + row["tcp.options.wscale.shift"])
        edges = [row[name].split(",") for name in tshark.SACK]
        if edges[0] != [""]:
            words.append("sack " + " ".join(":".join(pair) for pair in zip(*edges)))
        return sorted(words)


def our_options(text):
    return sorted(word for word in (text or "").split(",") if word not in ("", "nop", "eol"))


def segment_pairs(stream, frame, row, options):
    """(field, ours, tshark's) of one segment."""
    flags, seq, length, ack, window, opts = NOTATION.fullmatch(frame["notation"]).groups()
    source = stream[frame["from"]]
    target = stream["server" if frame["from"] == "client" else "client"]
    yield "stream", stream["stream"], row["tcp.stream"]
    yield "addresses", "{ip}:{port}".format(**source) + " {ip}:{port}".format(**target), \
        "{ip.src}:{tcp.srcport} {ip.dst}:{tcp.dstport}".format_map(Fields(row))
    yield "completeness", stream["completeness"], row["tcp.completeness"]
    yield "flags", sum(LETTERS[x] for x in flags if x != "-"), str(int(row["tcp.flags"], 16) & 0xFF)
    yield "seq", seq, row["tcp.seq"]
    yield "len", length, row["tcp.len"]
    if ack:
        yield "ack", ack, row["tcp.ack"]
    yield "window", window, row["tcp.window_size"]
    yield "options", our_options(opts), options.words(row)
    yield "checksum", CHECKSUMS[frame["checksum"]], row["tcp.checksum.status"]
    yield "ip checksum", CHECKSUMS[frame["ip_checksum"]], row["ip.checksum.status"]
    yield "duplicate ack #", frame.get("duplicate_ack", ""), row["tcp.analysis.duplicate_ack_num"]


class Fields(dict):
    """Lets a format string name fields that have dots."""

    def __init__(self, row):
        names = collections.defaultdict(lambda: collections.defaultdict(str))
        for key, value in row.items():
            first, _, rest = key.partition(".")
            names[first][rest] = value
        super().__init__({first: Attributes(rest) for first, rest in names.items()})


class Attributes:
    def __init__(self, values):
        self.__dict__.update(values)


def differences(path, count):
    """What differs, one line each."""
    done, document = inspect(path)
    if document is None:
        yield f"{path.name} not read: {done.stderr.strip()}"
        return
    ours = {f["number"]: (s, f) for s in document["streams"] for f in s["frames"]}
    options = Options()
    rows = tshark.segments(path, ANALYSIS)
    for row in rows:
        number = int(row["frame.number"])
        where = f"{path.name} {number}"
        if number not in ours:
            yield f"{where} is no segment for us"
            continue
        count["segments"] += 1
        stream, frame = ours.pop(number)
        for what, mine, theirs in segment_pairs(stream, frame, row, options):
            count[what] += 1
            if str(mine) != str(theirs):
                yield f"{where} {what}: {mine}, tshark {theirs}"
        for name in ANALYSIS:
            mine = name in frame["analysis"]
            theirs = row["tcp.analysis." + name] != ""
            if mine and theirs:
                count[name] += 1
            elif mine != theirs:
                yield f"{where} {name}: {'ours' if mine else 'tshark'} only"
    for number in ours:
        yield f"{path.name} {number} is no segment for tshark"
    numbers = sorted({int(row["tcp.stream"]) for row in rows})
    if numbers:
        yield from stream_differences(path, document, tshark.streams(path, numbers), count)


def stream_differences(path, document, theirs, count):
    for stream in document["streams"]:
        number = stream["stream"]
        if number not in theirs:
            continue
        where = f"{path.name} stream {number}"
        their = theirs[number]
        count["conversations"] += 1
        messages = stream["http"]
        requests = [(m["method"], m["target"]) for m in messages if "method" in m]
        responses = [m["status"] for m in messages if "status" in m]
        pairs = [("http requests", requests, their["requests"]),
                 ("http responses", responses, their["responses"])]
        # Of what a capture has cut tshark counts what is left, we what was on the wire.
        if stream["capture"]["cut_segments"] == 0:
            sizes = [their["bytes"].get("{ip}:{port}".format(**stream[side]), 0)
                     for side in ("client", "server")]
            pairs += [("bytes", [stream["bytes_client"], stream["bytes_server"]], sizes)]
        for what, mine, other in pairs:
            count[what] += 1
            count["http messages"] += len(mine) if what.startswith("http") else 0
            if mine != other:
                yield f"{where} {what}: {mine}, tshark {other}"


def refusals(files):
    """Captures that we refuse: one line, naming the reason, and status 2."""
    good = True
    for path in files:
        done, _ = inspect(path)
        lines = done.stderr.strip().splitlines()
        if done.returncode != 2 or len(lines) != 1 or REFUSED[path.name] not in lines[0]:
            good = False
            print(f"  {path.name} is not refused as it should be: {done.returncode} {lines}")
    print(f"refused, each with its reason in one line: {len(files)}")
    return good


def second_section_in_another_byte_order():
    """libpcap does not read on: what comes before that section is shown, and the record named."""
    def section(order):
        frame = bytes(12) + b"\x08\x00" + bytes(46)
        blocks = [(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
                  (1, struct.pack(order + "HHI", 1, 0, 65535)),
                  (6, struct.pack(order + "IIIII", 0, 0, 0, len(frame), len(frame)) + frame)]
        return b"".join(struct.pack(order + "II", kind, len(body) + 12) + body +
                        struct.pack(order + "I", len(body) + 12) for kind, body in blocks)

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "two-orders.pcapng"
        path.write_bytes(section("<") + section(">"))
        done, document = inspect(path)
    lines = done.stderr.strip().splitlines()
    good = done.returncode == 2 and document["frames"] == 1 and len(lines) == 1 and \
        "record 2 at offset" in lines[0]
    print(f"two byte orders in one file: {'read up to the second' if good else lines}")
    return good


def explained(found):
    """The differences that have no reason yet, and reasons for what is not seen."""
    lines = (ROOT / "tests/live/inspect_differences.txt").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    def fits(line, pattern):
        return fnmatch.fnmatchcase(line, re.sub(r"\[", "[[]", pattern))
    new = [line for line in found if not any(fits(line, pattern) for pattern in patterns)]
    stale = [pattern for pattern in patterns if not any(fits(line, pattern) for line in found)]

    if not SHARED.exists():
        stale = []
    return new, stale


def compare():
    groups = {"captures/": sorted((ROOT / "captures").glob("*.pcap*")),
              "recorded": sorted((SHARED / "recorded").glob("*.pcap*")),
              "public": sorted((SHARED / "public").glob("*.pcap*")) +
                        sorted((SHARED / "public").glob("*.snoop"))}
    if not SHARED.exists():
        print("../shared is not here: its captures are left out")
    total = collections.Counter()
    found = []
    refused = []
    print(f"{'captures':12} {'files':>6} {'segments':>9} {'streams':>8} {'differences':>12}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for group, files in groups.items():
            refused += [path for path in files if path.name in REFUSED]
            files = [path for path in files if path.name not in REFUSED]
            counts = [collections.Counter() for _ in files]
            lines = list(pool.map(lambda job: list(differences(*job)), zip(files, counts)))
            count = sum(counts, collections.Counter())
            here = [line for of_one in lines for line in of_one]
            print(f"{group:12} {len(files):6} {count['segments']:9} {count['conversations']:8} "
                  f"{len(here):12}")
            total += count
            found += here
    new, stale = explained(found)
    table(total, found)
    print(f"differences: {len(found)}, {len(new)} of them not explained")
    for line in new:
        print("  " + line)
    for line in stale:
        print("  explained, but not seen any more: " + line)
    return not new and not stale and refusals(refused)


def table(total, found):
    differ = collections.Counter()
    for line in found:
        for name in list(total):
            if f" {name}:" in line:
                differ[name] += 1
    print(f"\n{'field':26} {'compared':>9} {'differ':>7}")
    for name in total:
        if name not in ANALYSIS and name not in ("segments", "conversations", "http messages"):
            print(f"{name:26} {total[name]:9} {differ[name]:7}")
    print(f"\n{'analysis':26} {'both':>9} {'differ':>7}")
    for name in ANALYSIS:
        lost = sum(f" {name}:" in line for line in found)
        print(f"{name:26} {total[name]:9} {lost:7}")
    print(f"\n{total['http messages']} HTTP messages\n")


if __name__ == "__main__":
    sys.exit(0 if compare() & second_section_in_another_byte_order() else 1)
