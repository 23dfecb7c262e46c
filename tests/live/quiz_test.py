"""The answers of `inspect --quiz`, each found again with tshark.

Over every capture of ours, and those of ../shared where it is. How often each question was asked and
compared is a table in the output; one that is never compared fails.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re

import live
import tshark

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN = ROOT / "captures"
SHARED = ROOT.parent / "shared" / "captures"
FIELDS = """frame.number frame.time_epoch tcp.stream ip.src ip.dst tcp.srcport tcp.dstport tcp.flags tcp.seq
tcp.ack tcp.seq_raw tcp.ack_raw tcp.len tcp.window_size tcp.window_size_value tcp.options.mss_val
tcp.options.sack_perm tcp.analysis.acks_frame tcp.analysis.ack_rtt tcp.analysis.keep_alive
tcp.analysis.zero_window_probe tcp.analysis.lost_segment tcp.analysis.duplicate_ack
http.response.code ip.id ip.ttl ip.checksum tcp.checksum""".split()
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


class Segment:
    """A row of tshark's."""

    def __init__(self, row):
        self.row = dict(zip(FIELDS, row))
        number = lambda name: int(self.row[name] or 0)
        self.number = number("frame.number")
        self.stream = number("tcp.stream")
        seconds, _, fraction = self.row["frame.time_epoch"].partition(".")
        self.time = int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])
        self.source = (self.row["ip.src"], number("tcp.srcport"))
        self.target = (self.row["ip.dst"], number("tcp.dstport"))
        self.flags = int(self.row["tcp.flags"], 16)
        self.seq, self.ack = number("tcp.seq_raw"), number("tcp.ack_raw")
        self.relative_seq, self.relative_ack = number("tcp.seq"), number("tcp.ack")
        self.length = number("tcp.len")
        self.window, self.raw_window = number("tcp.window_size"), number("tcp.window_size_value")
        self.mss = number("tcp.options.mss_val")

    def has(self, bits):
        return self.flags & bits == bits

    def is_syn(self):
        return self.flags & (SYN | ACK) == SYN

    def end(self):
        return (self.seq + self.length + self.has(SYN) + self.has(FIN)) % 2**32


def behind(a, b):
    """How far sequence number a is behind b; negative: before it."""
    return (a - b + 2**31) % 2**32 - 2**31


class Conversation:
    """Answers the questions on one conversation from tshark's rows."""

    def __init__(self, segments):
        self.all = segments
        self.by_number = {s.number: s for s in segments}
        self.syn = next((s for s in segments if s.is_syn()), None)
        first = self.syn or segments[0]
        high = self.syn is None and first.source[1] < first.target[1]
        # The one who opens; in the middle of a conversation the higher port is taken for a client's.
        self.client = first.target if high or first.has(SYN | ACK) else first.source

    def first(self, test, after=None):
        start = self.all.index(after) if after else 0
        return next((s for s in self.all[start:] if test(s)), None)

    def syn_ack(self):
        return self.first(lambda s: s.has(SYN | ACK))

    def third(self):
        return self.first(lambda s: s.source == self.client and s.has(ACK) and not s.has(SYN),
                          self.syn_ack())

    def side(self, source):
        return 0 if source == self.client else 1

    def bytes_of(self, client):
        """Bytes of text, each once."""
        mine = [s for s in self.all if (s.source == self.client) == client]
        base = next(s.seq + 1 for s in mine if s.has(SYN))
        seen = []
        for s in mine:
            if s.length:
                begin = behind(s.seq + s.has(SYN), base)
                seen.append((begin, begin + s.length))
        total, end = 0, 0
        for begin, stop in sorted(seen):
            total += max(0, stop - max(begin, end))
            end = max(end, stop)
        return total

    def repeated(self):
        """Frames whose first number was carried before."""
        carried, found = collections.defaultdict(list), []
        for s in self.all:
            if s.end() == s.seq:
                continue
            before = carried[s.source]
            again = any(behind(s.seq, begin) >= 0 > behind(s.seq, end) for begin, end in before)
            probe = s.row["tcp.analysis.keep_alive"] or s.row["tcp.analysis.zero_window_probe"]
            if again and not probe:
                found.append(s.number)
            before.append((s.seq, s.end()))
        return found

    def hole(self):
        return self.first(lambda s: s.row["tcp.analysis.lost_segment"])

    def highest(self, before):
        """The number behind all that its side has shown before a segment."""
        ends = [s.end() for s in self.all[:self.all.index(before)] if s.source == before.source]
        highest = ends[0]
        for end in ends:
            highest = end if behind(end, highest) > 0 else highest
        return highest

    def filler(self):
        hole = self.hole()
        start = self.highest(hole)
        return self.first(lambda s: s.source == hole.source and behind(s.seq, start) <= 0 <
                          behind(s.end(), start), hole)

    def fins(self):
        first = self.first(lambda s: s.has(FIN))
        second = first and self.first(lambda s: s.has(FIN) and s.source != first.source, first)
        return first, second

    def acknowledgment(self, segment):
        return self.first(lambda s: s.source != segment.source and s.has(ACK) and
                          behind(s.ack, segment.end()) >= 0, segment)


def milliseconds(nanoseconds):
    return nanoseconds / 1e6


def mentioned(question):
    """The frames that a question names."""
    return [int(n) for n in re.findall(r"[Ff]rame (\d+)", question["question"]["en"])]


def flags_of(segment):
    return [i for i, bit in enumerate((SYN, ACK, FIN, RST, PSH, URG)) if segment.has(bit)]


def time_wait(c):
    first, second = c.fins()
    return [c.side(first.source) if second.has(ACK) and behind(second.ack, first.end()) >= 0 else 2]


def closes_first(c):
    first, _ = c.fins()
    return [c.side(first.source) if first else 2]


def cause(c, question):
    """The words of the choice: a timeout if the other side was silent."""
    original, again = (c.by_number[n] for n in mentioned(question))
    between = [s for s in c.all[c.all.index(original) + 1:c.all.index(again)] if s.source != again.source]
    duplicates = [s for s in between if s.row["tcp.analysis.duplicate_ack"] and s.ack == again.seq]
    if len(duplicates) >= 3:
        return "three or more duplicate ACKs asked for it"
    return "its timer went off: nothing came back" if not between else None


def rate(c):
    client = c.bytes_of(True) > c.bytes_of(False)
    carrying = [s for s in c.all if s.length and (s.source == c.client) == client]
    return c.bytes_of(client) * 8 / (carrying[-1].time - carrying[0].time) * 1e6


def opened(c):
    closed = c.first(lambda s: s.window == 0 and not s.has(RST) and not s.flags & (SYN | FIN))
    again = c.first(lambda s: s.source == closed.source and s.window and not s.flags & (RST | SYN), closed)
    return closed.number, again and milliseconds(again.time - closed.time)


# What each kind of answer is to be compared with, by the question's id. c: the conversation, n: the
# frames that the question names, q: the question.
ANSWERS = {
    "client_port": lambda c, n, q: c.syn.source[1],
    "server_port": lambda c, n, q: c.syn.target[1],
    "handshake_frames": lambda c, n, q: [c.syn.number, c.syn_ack().number, c.third().number],
    "syn_flag": lambda c, n, q: flags_of(c.syn),
    "syn_ack_flags": lambda c, n, q: flags_of(c.syn_ack()),
    "client_isn": lambda c, n, q: c.syn.seq,
    "server_isn": lambda c, n, q: c.syn_ack().seq,
    "syn_ack_ack": lambda c, n, q: c.syn_ack().ack,
    "syn_wait": lambda c, n, q: milliseconds(c.by_number[n[1]].time - c.by_number[n[0]].time),
    "syn_rtt": lambda c, n, q: milliseconds(c.syn_ack().time - c.syn.time),
    "handshake_time": lambda c, n, q: milliseconds(c.third().time - c.syn.time),
    "state_client": lambda c, n, q: [2],
    "state_server": lambda c, n, q: [1],
    "refused": lambda c, n, q: [c.first(lambda s: s.has(RST)).number],
    "client_mss": lambda c, n, q: c.syn.mss or 536,
    "server_mss": lambda c, n, q: c.syn_ack().mss or 536,
    "scaled_window": lambda c, n, q: c.by_number[n[0]].window,
    "sack_permitted": lambda c, n, q: [0 if c.syn.row["tcp.options.sack_perm"] and
                                       c.syn_ack().row["tcp.options.sack_perm"] else 1],
    "client_bytes": lambda c, n, q: c.bytes_of(True),
    "server_bytes": lambda c, n, q: c.bytes_of(False),
    "next_number": lambda c, n, q: c.acknowledgment(c.by_number[n[0]]).relative_ack,
    "acknowledged_by": lambda c, n, q: [c.acknowledgment(c.by_number[n[0]]).number],
    "segment_rtt": lambda c, n, q: rtt(c, n[0]),
    "throughput": lambda c, n, q: rate(c),
    "http_status": lambda c, n, q: status(c),
    "http_time": None,  # tshark puts a response where it ends, we where it begins
    "retransmissions": lambda c, n, q: c.repeated(),
    "retransmission_count": lambda c, n, q: len(c.repeated()),
    "retransmission_sign": None,  # its frames are those of retransmissions
    "retransmission_cause": lambda c, n, q: cause(c, q),
    "retransmission_wait": lambda c, n, q: milliseconds(c.by_number[n[1]].time - c.by_number[n[0]].time),
    "hole": lambda c, n, q: [c.hole().number],
    "hole_filled": lambda c, n, q: [c.filler().number],
    "zero_window": lambda c, n, q: [opened(c)[0]],
    "zero_window_time": lambda c, n, q: opened(c)[1],
    "closes_first": lambda c, n, q: closes_first(c),
    "fin_acknowledged": lambda c, n, q: c.by_number[n[0]].relative_seq + c.by_number[n[0]].length + 1,
    "time_wait": lambda c, n, q: time_wait(c),
    "reset_by": lambda c, n, q: [c.side(c.first(lambda s: s.has(RST)).source)],
}


def status(c):
    """Of the first final response, where tshark finds its end."""
    found = c.first(lambda s: s.row["http.response.code"] not in ("", "100"))
    return found and int(found.row["http.response.code"].split(",")[0])


def rtt(c, number):
    """tshark's own, where it counts for the same frame."""
    ack = c.acknowledgment(c.by_number[number])
    assert int(ack.row["tcp.analysis.acks_frame"] or number) == number, "another frame is acknowledged"
    return float(ack.row["tcp.analysis.ack_rtt"]) * 1e3 if ack.row["tcp.analysis.ack_rtt"] else None


def right_value(answer):
    kind = answer["kind"]
    if kind == "frames":
        return answer["frames"]
    return answer["right"] if kind == "choice" else answer["value"]


def same(question, theirs):
    answer = question["answer"]
    if answer["kind"] == "choice" and isinstance(theirs, str):
        return answer["choices"][answer["right"][0]]["en"] == theirs
    ours = right_value(answer)
    if isinstance(theirs, float):
        return abs(ours - theirs) <= max(2e-3, 1e-6 * abs(theirs))
    return ours == theirs


def quiz(path, *more):
    done = live.tapestry("inspect", "--quiz", "--json", str(path), *more, seconds=60)
    return json.loads(done.stdout)["questions"] if done.returncode == 0 else None


def segments_of(path):
    arguments = ["-Y", "tcp && !icmp", "-T", "fields"]
    for field in FIELDS:
        arguments += ["-e", field]
    return [Segment(line.split("\t")) for line in tshark.run(path, *arguments).splitlines()]


def compare(path):
    """(id, what differs or "") of each question."""
    questions = quiz(path)
    if questions is None:
        return []
    streams = collections.defaultdict(list)
    for segment in segments_of(path):
        streams[segment.stream].append(segment)
    conversations = {number: Conversation(segments) for number, segments in streams.items()}
    found = []
    for question in questions:
        find = ANSWERS.get(question["id"]) if question["stream"] is not None else None
        if find is None:
            continue
        try:
            theirs = find(conversations[question["stream"]], mentioned(question), question)
        except (AttributeError, KeyError, IndexError, ValueError, AssertionError) as error:
            theirs = repr(error)
        if theirs is None:
            continue
        wrong = "" if same(question, theirs) else "%s stream %d %s: %s, tshark %s" % (
            path.name, question["stream"], question["id"], question["answer"]["text"], theirs)
        found.append((question["id"], wrong))
    return found


def test_every_answer_is_tsharks():
    paths = sorted(OWN.glob("*.pcap"))
    if SHARED.is_dir():
        paths += sorted(p for p in SHARED.rglob("*") if p.suffix in (".pcap", ".pcapng", ".cap"))
    compared, wrong = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for answers in pool.map(compare, paths):
            for name, difference in answers:
                compared[name] += 1
                if difference:
                    wrong.append(difference)
    for name in ANSWERS:
        if ANSWERS[name] is not None:
            print(f"  {name:24} {compared[name]:6}")
    print("%d answers over %d captures, %d differ" % (compared.total(), len(paths), len(wrong)))
    assert not wrong, "\n".join(wrong[:60])
    never = [name for name in ANSWERS if ANSWERS[name] is not None and compared[name] == 0]
    assert not never, never


def test_the_other_side_of_a_nat():
    for name in ("nat", "nat-port-forward"):
        inside, outside = OWN / (name + ".client.pcap"), OWN / (name + ".server.pcap")
        questions = [q for q in quiz(inside, "--other-side", str(outside)) if q["stream"] is None]
        assert [q["id"] for q in questions if q["id"] == "nat_changes"], questions
        rows = {False: segments_of(inside), True: segments_of(outside)}
        for question in questions:
            if question["id"] != "nat_changes":
                continue
            text = question["question"]["en"]
            frames = re.findall(r"frame (\d+)( of the other)?", text)
            before, after = (next(s for s in rows[bool(other)] if s.number == int(number))
                             for number, other in frames)
            for field in ("ip.id", "tcp.seq_raw", "tcp.len"):
                assert before.row[field] == after.row[field], (name, field)
            fields = "ip.src ip.dst ip.ttl ip.checksum tcp.srcport tcp.dstport tcp.seq_raw tcp.checksum"
            changed = [i for i, field in enumerate(fields.split()) if before.row[field] != after.row[field]]
            assert question["answer"]["right"] == changed, (name, question, changed)


def test_a_dialog_and_a_sheet():
    path = str(OWN / "http-get.client.pcap")
    talk = live.tapestry("inspect", "--quiz", path, input=b"1\n\n80\nq\n", ok=0).stdout.decode()
    assert "No. Once more?" in talk and "Right: 80" in talk, talk
    assert talk.endswith("1 right, 0 at the second try, 1 not.\n"), talk
    sheet = live.tapestry("inspect", "--quiz", path, input=b"", ok=0).stdout.decode()
    assert "27. " in sheet and "Right" not in sheet and "answer:" not in sheet, sheet


def test_refusals():
    path = str(OWN / "http-get.client.pcap")
    for arguments, words in ((["--quiz", "--step", path], "--quiz asks"),
                             (["--quiz", "--stream", "7", path], "has no stream 7"),
                             (["--other-side", path, path], "is for --quiz"),
                             (["--quiz", "--other-side", "/nonexistent", path], "--other-side"),
                             (["--quiz", str(OWN / "ping.client.pcap")], "no TCP conversation")):
        done = live.tapestry("inspect", *arguments, ok=2)
        lines = done.stderr.decode().strip().splitlines()
        assert len(lines) == 1 and words in lines[0], (arguments, lines)


if __name__ == "__main__":
    live.need("tshark")
    live.main(dict(globals()))
