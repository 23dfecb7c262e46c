"""What `inspect` makes of a segment beside what the wire really did with it.

Some captures come with a truth: NAME-truth.tsv (or NAME.truth.tsv) has a line for each frame that the
wire between the ends a and b took, in the order in which its end sent it, with what was done: drop,
dup, delay. With the captures of both ends that says of each segment whether its sender had sent that
text before, and whether the wire lost it, doubled it or let a later one overtake it. The words
of Wireshark, and so ours, are guesses about that from one end. Here they are graded. Where a
definition makes us say something untrue it has to stand in inspect_untruths.txt with the reason; what
stands there and does not happen fails, too.

Never explained, because it must not happen: text that was sent before, doubled or overtaken of which
nothing at all is said, and a frame that nobody has sent.
"""

import collections
import csv
import fnmatch
import json
import os
import pathlib
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "captures" / "recorded"
TAPESTRY = os.environ["TAPESTRY"]
# What the two recorders of these saw is not what the wire's two ends sent: another link or a router lies
# between, a recorder missed frames on purpose, or the wire changed them.
NOT_GRADED = {"cooked", "ecn", "fragmented", "nat", "nat-port-forward", "no-handshake", "path-mtu", "raw-ip",
              "recorder-misses", "slirp", "ttl-exceeded", "vlan"}
WORDS = ["retransmission", "out_of_order", "lost_segment"]
FIN, SYN, RST, ACK = 1, 2, 4, 16
Tcp = collections.namedtuple("Tcp", "way begin end flags")


def recordings():
    """(name, a's capture, b's capture, truth)."""
    for truth in sorted(RECORDED.glob("*-truth.tsv")):
        name = truth.name.removesuffix("-truth.tsv")
        yield name, RECORDED / f"{name}-a.pcap", RECORDED / f"{name}-b.pcap", truth
    for truth in sorted((ROOT / "captures").glob("*.truth.tsv")):
        name = truth.name.removesuffix(".truth.tsv")
        if name in NOT_GRADED:
            continue
        yield name, ROOT / f"captures/{name}.client.pcap", ROOT / f"captures/{name}.server.pcap", truth


def frames(path):
    """The records of a pcap file of Ethernet, without their times."""
    data = path.read_bytes()
    order = "<" if data[:2] in (b"\xd4\xc3", b"\x4d\x3c") else ">"
    at = 24
    found = []
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        found.append(data[at + 16:at + 16 + size])
        at += 16 + size
    return found


def tcp(frame):
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    header = 14 + 4 * (frame[14] & 15)
    if struct.unpack_from(">H", frame, 20)[0] & 0x3FFF or len(frame) < header + 20:
        return None
    flags = frame[header + 13]
    length = 14 + struct.unpack_from(">H", frame, 16)[0] - header - 4 * (frame[header + 12] >> 4)
    begin = struct.unpack_from(">I", frame, header + 4)[0]
    end = begin + length + bool(flags & SYN) + bool(flags & FIN)
    return Tcp(frame[26:34] + frame[header:header + 4], begin, end % 2**32, flags)


def after(a, b):
    return 0 < (a - b) % 2**32 < 2**31


class Direction:
    """What one end has sent, and what the wire did with it."""

    def __init__(self, sent, actions):
        self.sent = sent
        self.dropped = [action == "drop" for action in actions]
        self.resent = []
        highest = {}
        shown = set()
        for frame in sent:
            segment = tcp(frame)
            again = False
            if segment and segment.end != segment.begin:
                way = segment.way
                # The SYN-ACK of a simultaneous open repeats the SYN's number, but says something new.
                says = (way, segment.begin, segment.flags & (SYN | ACK))
                again = way in highest and after(highest[way], segment.begin)
                again = again and (not segment.flags & SYN or says in shown)
                shown.add(says)
                # One octet may be a window's probe, which the other end need not take: no text yet.
                probe = (segment.end - segment.begin) % 2**32 == 1 and not segment.flags & (SYN | FIN)
                if not probe and (way not in highest or after(segment.end, highest[way])):
                    highest[way] = segment.end
            self.resent.append(again)

    def arrivals(self, seen):
        """Which of the frames sent each of these is; a frame whose last byte was broken, too."""
        places = collections.defaultdict(collections.deque)
        for n, frame in enumerate(self.sent):
            places[frame].append(n)
            places[frame[:-1]].append(n)
        last = {}
        for frame in seen:
            key = frame if frame in places else frame[:-1]
            if places[key]:
                last[key] = places[key].popleft()
            yield last.get(key)


class Grade:
    def __init__(self):
        self.right = collections.Counter()
        self.wrong = collections.Counter()
        self.missed = collections.Counter()
        self.lines = []
        self.never = []

    def silence(self, where, words, why):
        """Text that is not new: one of the words for it has to be there, right or wrong."""
        if not {"retransmission", "out_of_order", "keep_alive"} & set(words):
            self.never.append(f"{where} is not new ({why}), and nothing is said")

    def hold(self, word, said, true, where, why):
        if said and true:
            self.right[word] += 1
        elif said:
            self.wrong[word] += 1
            self.lines.append(f"{where} {word}: {why}")
        elif true:
            self.missed[word] += 1
            self.lines.append(f"{where} not {word}: {why}")


def said_of(path):
    done = subprocess.run([TAPESTRY, "inspect", "--json", str(path)], capture_output=True, text=True,
                          check=False, timeout=60)
    document = json.loads(done.stdout)
    return {f["number"]: f["analysis"] for s in document["streams"] for f in s["frames"]}


def grade_sender(direction, seen, said, where):
    """Here nothing is lost or overtaken yet: what is below the highest number was sent again."""
    grade = Grade()
    for n, (number, frame) in enumerate(seen):
        segment = tcp(frame)
        if not segment:
            continue
        words = said.get(number, [])
        again = direction.resent[n]
        why = "sent again" if again else "sent for the first time"
        if segment.flags & SYN:
            why += ", a SYN-ACK" if segment.flags & ACK else ", a SYN"
        if again:
            grade.silence(f"{where} {number}", words, why)
        if "keep_alive" not in words:
            grade.hold("retransmission", "retransmission" in words, again, f"{where} {number}", why)
        grade.hold("out_of_order", "out_of_order" in words, False, f"{where} {number}", why)
        grade.hold("lost_segment", "lost_segment" in words, False, f"{where} {number}", why)
    return grade


def grade_receiver(direction, seen, said, where):
    grade = Grade()
    arrived = set()
    latest = -1
    highest = {}
    for (number, frame), n in zip(seen, direction.arrivals(frame for _, frame in seen)):
        segment = tcp(frame)
        if n is None:
            grade.never.append(f"{where} {number} was never sent")
            continue
        twice = n in arrived
        overtaken = n < latest and not twice
        arrived.add(n)
        latest = max(latest, n)
        if not segment:
            continue
        words = said.get(number, [])
        place = f"{where} {number}"
        says_something = segment.begin != segment.end and "keep_alive" not in words
        why = "doubled by the wire" if twice else "sent again" if direction.resent[n] else \
            "overtaken" if overtaken else "new"
        if segment.flags & SYN and segment.flags & ACK:
            why += ", a SYN-ACK"
        top = highest.get(segment.way)
        below = top is not None and after(top, segment.begin)
        hole = top is not None and after(segment.begin, top)
        if says_something and below and (twice or overtaken or direction.resent[n]):
            grade.silence(place, words, why)
        if says_something:
            # What was sent again while its first copy was lost may fill a hole, or be the newest.
            truth = direction.resent[n] and not twice
            grade.hold("retransmission", "retransmission" in words, truth and below, place, why)
            grade.hold("out_of_order", "out_of_order" in words, overtaken and below and
                       not direction.resent[n], place, why)
        # Whatever leaves a hole: is something of before it really lost, or only late?
        if "lost_segment" in words or (hole and not segment.flags & RST):
            before = [m for m in range(n) if m not in arrived and tcp(direction.sent[m])]
            lost = any(direction.dropped[m] for m in before)
            grade.hold("lost_segment", "lost_segment" in words, hole and lost, place,
                       "late, not lost" if before else "nothing is missing")
        if top is None or after(segment.end, top):
            highest[segment.way] = segment.end
    return grade


def grade_recording(name, a, b, truth):
    rows = list(csv.DictReader(truth.open(), delimiter="\t"))
    all_of = {"a": list(enumerate(frames(a), 1)), "b": list(enumerate(frames(b), 1))}
    said = {"a": said_of(a), "b": said_of(b)}
    first = all_of[rows[0]["dir"][0]][0][1]
    addresses = {rows[0]["dir"][0]: first[6:12]}
    answer = next(f for _, f in all_of["a"] if f[6:12] != first[6:12])
    addresses[rows[0]["dir"][1]] = answer[6:12]
    for source, sink in ("ab", "ba"):
        def mine(end, address=addresses[source]):
            return [(number, frame) for number, frame in all_of[end] if frame[6:12] == address]
        actions = [row["action"] for row in rows if row["dir"] == source + sink]
        sent = mine(source)
        if len(sent) != len(actions):
            raise SystemExit(f"{name}: {len(sent)} frames sent by {source}, the truth has {len(actions)}")
        direction = Direction([frame for _, frame in sent], actions)
        yield "sender", grade_sender(direction, sent, said[source], f"{name}-{source}")
        yield "receiver", grade_receiver(direction, mine(sink), said[sink], f"{name}-{sink}")


def main():
    all_recordings = list(recordings())
    if not all_recordings:
        print("../shared is not here, and captures/ has no truths")
        return 77
    explained = (ROOT / "tests/live/inspect_untruths.txt").read_text().splitlines()
    explained = [line for line in explained if line and not line.startswith("#")]
    lines = []
    never = []
    head = "".join(f" | {word:>16}" for word in WORDS)
    print(f"{'true/wrong/missed':34} {'seen by':9}{head}")
    sums = collections.defaultdict(Grade)
    for recording in all_recordings:
        of_role = collections.defaultdict(Grade)
        for role, grade in grade_recording(*recording):
            for total in (of_role[role], sums[role]):
                total.right += grade.right
                total.wrong += grade.wrong
                total.missed += grade.missed
            lines += grade.lines
            never += grade.never
        for role, grade in of_role.items():
            print_row(recording[0], role, grade)
    for role, grade in sums.items():
        print_row("all", role, grade)
    new = [line for line in lines if not any(fnmatch.fnmatchcase(line, e) for e in explained)]
    stale = [e for e in explained if not any(fnmatch.fnmatchcase(line, e) for line in lines)]
    if not RECORDED.exists():
        stale = []
    print(f"untruths: {len(lines)}, {len(new)} of them not explained")
    for line in new:
        print("  " + line)
    for line in stale:
        print("  explained, but not seen any more: " + line)
    for line in never:
        print("  never: " + line)
    return 1 if new or stale or never else 0


def print_row(name, role, grade):
    cells = [f"{grade.right[w]:>6}/{grade.wrong[w]:>4}/{grade.missed[w]:>4}" for w in WORDS]
    if any(grade.right[w] + grade.wrong[w] + grade.missed[w] for w in WORDS):
        print(f"{name:34} {role:9}" + "".join(f" | {cell}" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
