"""The wire between the two hosts: carries frames from one veth to the other with a delay, and does to
single frames what a scenario asks for."""

import heapq
import itertools
import os
import select
import socket
import struct
import threading
import time

ETH_P_ALL = 3
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Seen:
    """What a rule may ask about a frame. `sender` is "client" or "server"."""

    def __init__(self, sender, frame):
        self.sender = sender
        self.frame = frame
        self.flags = 0
        self.length = 0  # of the TCP payload
        self.tcp = frame[12:14] == b"\x08\x00" and frame[23] == 6
        if self.tcp:
            ip_size = 4 * (frame[14] & 15)
            total, = struct.unpack_from("!H", frame, 16)
            at = 14 + ip_size
            self.flags = frame[at + 13]
            self.length = total - ip_size - 4 * (frame[at + 12] >> 4)

    syn = property(lambda self: self.flags & (SYN | ACK) == SYN)
    syn_ack = property(lambda self: self.flags & (SYN | ACK) == SYN | ACK)
    fin = property(lambda self: self.flags & FIN != 0)
    data = property(lambda self: self.length > 0)
    ipv4 = property(lambda self: self.frame[12:14] == b"\x08\x00")
    fragment = property(lambda self: self.ipv4 and (self.frame[20] & 0x3f or self.frame[21]) != 0)
    echo_reply = property(lambda self: self.ipv4 and self.frame[23] == 1 and self.frame[34] == 0)
    pure_ack = property(lambda self: self.tcp and not self.length
                        and self.flags & (SYN | FIN | RST | ACK) == ACK)


class Rule:
    """Does something to those of the frames `which(seen)` whose numbers are in `turns` (from 1)."""

    def __init__(self, sender, which, turns, copies=1, extra_delay=0.0, change=None):
        self.sender, self.which, self.turns = sender, which, turns
        self.copies, self.extra_delay, self.change = copies, extra_delay, change
        self.count = 0

    def applies(self, seen):
        if seen.sender != self.sender or not self.which(seen):
            return False
        self.count += 1
        return self.count in self.turns


def lose(sender, which, *turns):
    return Rule(sender, which, turns or (1,), copies=0)


def double(sender, which, *turns):
    return Rule(sender, which, turns or (1,), copies=2)


def hold_back(sender, which, seconds, *turns):
    return Rule(sender, which, turns or (1,), extra_delay=seconds)


def corrupt(sender, which, *turns):
    """Turns one bit of the last byte over: the TCP or UDP checksum is wrong then."""
    return Rule(sender, which, turns or (1,),
                change=("corrupt", lambda frame: frame[:-1] + bytes([frame[-1] ^ 0x10])))


def mark(sender, which, *turns):
    """Writes "congestion experienced" into the IP header, as a router with a long queue does (RFC 3168)."""
    def congested(frame):
        header = bytearray(frame[14:34])
        header[1] |= 3
        header[10:12] = b"\0\0"
        total = sum(struct.unpack("!10H", header))
        total = (total & 0xffff) + (total >> 16)
        struct.pack_into("!H", header, 10, ~(total + (total >> 16)) & 0xffff)
        return frame[:14] + bytes(header) + frame[34:]
    return Rule(sender, which, turns or (1,), change=("mark", congested))


def tagged(frame, vlan):
    """As a switch's trunk carries it: with the tag of IEEE 802.1Q."""
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def write_truth(path, rows):
    """What the wire did: a line for each frame that came to it, numbered by direction."""
    with open(path, "w", encoding="ascii") as file:
        file.write("time_ns\tdir\tn\tlen\taction\n")
        for row in rows:
            file.write("\t".join(map(str, row)) + "\n")


class Wire(threading.Thread):
    """A full-duplex cable of `delay` seconds each way, in order but for what rules hold back."""

    def __init__(self, interfaces, delay, rules=(), trunk=None):
        super().__init__(daemon=True)
        self.trunk = trunk  # (interface, VLAN): a copy of everything, tagged
        self.cut = False  # True: everything is lost
        self.delay = delay
        self.rules = list(rules)
        self.ends = {}
        for sender, interface in interfaces.items():
            self.ends[sender] = self.open(interface)
        self.mirror = self.open(trunk[0]) if trunk else None
        self.counts = {"client": 0, "server": 0}
        self.truth = []  # rows of NAME.truth.tsv
        self.under_way = []
        self.order = itertools.count()
        self.stopping = False

    @staticmethod
    def open(interface):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        end.bind((interface, ETH_P_ALL))
        end.setblocking(False)
        return end

    def stop(self):
        self.stopping = True
        self.join()
        for end in self.ends.values():
            end.close()
        if self.mirror:
            self.mirror.close()

    def run(self):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)  # delays as even as can be
        senders = {end: sender for sender, end in self.ends.items()}
        while not self.stopping:
            wait = 0.05
            if self.under_way:
                wait = max(0.0, min(wait, self.under_way[0][0] - time.monotonic()))
            for end in select.select(list(senders), [], [], wait)[0]:
                self.take(senders[end], end)
            while self.under_way and self.under_way[0][0] <= time.monotonic():
                _, _, receiver, frame = heapq.heappop(self.under_way)
                self.ends[receiver].send(frame)

    def take(self, sender, end):
        try:
            frame, address = end.recvfrom(65536)
        except BlockingIOError:
            return
        if address[2] == socket.PACKET_OUTGOING:
            return
        now, clock = time.monotonic(), time.time_ns()
        seen = Seen(sender, frame)
        copies, due, changes = 1, now + self.delay, []
        for rule in self.rules:
            if rule.applies(seen):
                copies, due = rule.copies, due + rule.extra_delay
                changes += [rule.change] if getattr(rule, "change", None) else []
        if self.cut:
            copies = 0
        self.note(clock, seen, copies, due - now, changes)
        for _, change in changes:
            frame = change(frame)
        receiver = "server" if sender == "client" else "client"
        for _ in range(copies):
            heapq.heappush(self.under_way, (due, next(self.order), receiver, frame))
        if self.mirror and copies:
            self.mirror.send(tagged(frame, self.trunk[1]))

    def note(self, clock, seen, copies, delay, changes):
        self.counts[seen.sender] += 1
        action = {0: "drop", 2: "dup"}.get(copies, f"delay={round(delay, 6):g}")
        if changes and copies:
            action = changes[0][0]
        direction = "ab" if seen.sender == "client" else "ba"
        self.truth.append((clock, direction, self.counts[seen.sender], len(seen.frame), action))
