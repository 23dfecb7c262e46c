"""What tshark says of a capture, for tests that hold `tapestry inspect` against it."""

import re
import subprocess

SACK = "tcp.options.sack_le tcp.options.sack_re".split()
SEGMENT = """frame.number ip.src ip.dst tcp.srcport tcp.dstport tcp.stream tcp.seq tcp.ack tcp.flags
tcp.window_size tcp.len tcp.completeness tcp.checksum.status ip.checksum.status
tcp.options.mss_val tcp.options.wscale.shift tcp.options.sack_perm tcp.options.timestamp.tsval
tcp.options.timestamp.tsecr tcp.analysis.duplicate_ack_num""".split() + SACK
MISSING = re.compile(rb"\[(\d+) bytes missing in capture file\]\0?")


class TsharkError(Exception):
    pass


def run(path, *arguments):
    done = subprocess.run(["tshark", "-2", "-r", str(path), *arguments], capture_output=True, text=True,
                          check=False, timeout=120)
    if done.returncode != 0 and not done.stdout:
        raise TsharkError(done.stderr.strip())
    return done.stdout


def segments(path, analysis):
    """A row for each TCP segment; of a checksum's status 1 is good, 0 bad, 2 not checked."""
    fields = SEGMENT + ["tcp.analysis." + name for name in analysis]
    arguments = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", "tcp", "-T",
                 "fields"]
    for field in fields:
        arguments += ["-e", field]
    rows = [dict(zip(fields, line.split("\t"))) for line in run(path, *arguments).splitlines()]
    # An ICMP error with a quoted segment has two addresses, and is none.
    return [row for row in rows if "," not in row["ip.src"]]


def streams(path, numbers):
    """Of each stream: the bytes of either end (ip:port), and the HTTP messages in their order."""
    # SSDP is HTTP's form over UDP: http.request has it, a conversation of TCP has not.
    fields = "tcp.stream http.request.method http.request.uri http.response.code".split()
    arguments = ["-Y", "http and tcp", "-T", "fields"]
    for field in fields:
        arguments += ["-e", field]
    for number in numbers:
        arguments += ["-z", f"follow,tcp,raw,{number}"]
    found = {number: {"bytes": {}, "requests": [], "responses": []} for number in numbers}
    sections = run(path, *arguments).split("=" * 67 + "\n")
    for line in sections[0].splitlines():
        if not line:
            continue
        stream, methods, targets, codes = line.split("\t")
        if methods:
            found[int(stream)]["requests"] += zip(methods.split(","), split(targets, methods))
        if codes:
            found[int(stream)]["responses"] += [int(code) for code in codes.split(",")]
    for section in sections[1:]:
        lines = section.splitlines()
        if not lines or not lines[0].startswith("Follow:"):
            continue
        number = int(lines[1].split()[-1])
        ends = [line.split(": ")[1] for line in lines[2:4]]
        size = found[number]["bytes"]
        for end in ends:
            size[end] = 0
        for line in lines[4:]:
            data = bytes.fromhex(line.strip())
            if not MISSING.fullmatch(data):
                size[ends[1 if line.startswith("\t") else 0]] += len(data)
    return found


def split(targets, methods):
    """tshark joins several values of one frame with commas, which a target may have as well."""
    parts = targets.split(",")
    return parts if len(parts) == len(methods.split(",")) else [targets]
