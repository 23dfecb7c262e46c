"""`inspect` beside tshark, frame by frame: stream, flags, numbers, windows, completeness, analysis.

Over every capture of ours, and those of ../shared where it is. What we and tshark say differently has
to stand in inspect_differences.txt with its reason, else the test fails. Broken files have to be refused
in one line, with exit status 2, after everything before the damage has been read.
"""

import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "captures"
TAPESTRY = os.environ["TAPESTRY"]
ANALYSIS = """retransmission fast_retransmission spurious_retransmission out_of_order lost_segment
ack_lost_segment duplicate_ack zero_window window_update window_full zero_window_probe
zero_window_probe_ack keep_alive keep_alive_ack reused_ports""".split()
FIELDS = "frame.number ip.src tcp.stream tcp.seq tcp.ack tcp.window_size tcp.len tcp.completeness".split()
NOTATION = re.compile(r"(\S+) (\d+):\d+\((\d+)\)(?: ack (\d+))?(?: win (\d+))?")


def tshark(path):
    """A row for each TCP segment."""
    fields = FIELDS + ["tcp.analysis." + name for name in ANALYSIS]
    command = ["tshark", "-2", "-r", str(path), "-Y", "tcp", "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [dict(zip(fields, line.split("\t"))) for line in done.stdout.splitlines()]
    # An ICMP error with a quoted segment has two addresses, and is none.
    return [row for row in rows if "," not in row["ip.src"]]


def inspect(path):
    done = subprocess.run([TAPESTRY, "inspect", "--json", str(path)], capture_output=True, text=True,
                          check=False, timeout=60)
    return done, json.loads(done.stdout) if done.stdout else None


def differences(path, count):
    """What differs, one line each."""
    done, document = inspect(path)
    if document is None:
        yield f"{path.name} not read: {done.stderr.strip()}"
        return
    ours = {f["number"]: (s, f) for s in document["streams"] for f in s["frames"]}
    for row in tshark(path):
        number = int(row["frame.number"])
        where = f"{path.name} {number}"
        if number not in ours:
            yield f"{where} is no segment for us"
            continue
        count["segments"] += 1
        stream, frame = ours[number]
        _, seq, length, ack, window = NOTATION.match(frame["notation"]).groups()
        for what, mine, theirs in (
            ("stream", stream["stream"], row["tcp.stream"]),
            ("completeness", stream["completeness"], row["tcp.completeness"]),
            ("seq", seq, row["tcp.seq"]),
            ("len", length, row["tcp.len"]),
            ("window", window, row["tcp.window_size"]),
            ("ack", ack or row["tcp.ack"], row["tcp.ack"]),
        ):
            if str(mine) != theirs:
                yield f"{where} {what}: {mine}, tshark {theirs}"
        for name in ANALYSIS:
            mine = name in frame["analysis"]
            theirs = row["tcp.analysis." + name] != ""
            if mine and theirs:
                count[name] += 1
            elif mine != theirs:
                yield f"{where} {name}: {'ours' if mine else 'tshark'} only"


def compare():
    files = sorted((ROOT / "captures").glob("*.pcap*"))
    shared = sorted((SHARED / "recorded").glob("*.pcap*"))
    if not shared:
        print("../shared is not here: its captures are left out")
    known = [line for line in (ROOT / "tests/live/inspect_differences.txt").read_text().splitlines()
             if line and not line.startswith("#")]
    count = collections.Counter()
    found = [line for path in files + shared for line in differences(path, count)]
    print(f"{len(files + shared)} files, {count.pop('segments')} segments; analysis that both have:")
    for name in ANALYSIS:
        print(f"  {name:26} {count[name]:6}")
    new = [line for line in found if line not in known]
    print(f"differences: {len(found)}, {len(new)} of them not explained")
    for line in new:
        print("  " + line)
    return not new


def broken_files():
    manifest = SHARED / "malformed" / "MANIFEST.tsv"
    if not manifest.exists():
        print("../shared is not here: no broken files")
        return True
    good = True
    rows = list(csv.DictReader(manifest.open(), delimiter="\t"))
    for row in rows:
        start = time.monotonic()
        done, document = inspect(manifest.parent / row["file"])
        seconds = time.monotonic() - start
        frames = document["frames"] if document else 0
        expected = re.match(r"(\d+) packets?", row["expected"])
        problems = []
        if done.returncode not in (0, 2):
            problems.append(f"exit status {done.returncode}")
        if done.returncode == 2 and len(done.stderr.strip().splitlines()) != 1:
            problems.append("not one line of refusal")
        if row["expected"] == "error" and done.returncode != 2:
            problems.append("was taken")
        if expected and "or" not in row["expected"] and int(expected.group(1)) != frames and \
                row["tcpdump_4.99.3_exit"] != "1":
            problems.append(f"{frames} frames, not {expected.group(1)}")
        if seconds > 1:
            problems.append(f"{seconds:.1f} seconds")
        if problems:
            good = False
            print(f"  {row['file']} ({row['expected']}): {', '.join(problems)}")
    print(f"{len(rows)} broken files")
    return good


if __name__ == "__main__":
    results = [compare(), broken_files()]
    sys.exit(0 if all(results) else 1)
