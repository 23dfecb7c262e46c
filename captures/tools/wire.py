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
    pure_ack = property(lambda self: self.tcp and not self.length
                        and self.flags & (SYN | FIN | RST | ACK) == ACK)


class Rule:
    """Does something to those of the frames `which(seen)` whose numbers are in `turns` (from 1)."""

    def __init__(self, sender, which, turns, copies=1, extra_delay=0.0):
        self.sender, self.which, self.turns = sender, which, turns
        self.copies, self.extra_delay = copies, extra_delay
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


class Wire(threading.Thread):
    """A full-duplex cable of `delay` seconds each way, in order but for what rules hold back."""

    def __init__(self, interfaces, delay, rules=()):
        super().__init__(daemon=True)
        self.cut = False  # True: everything is lost
        self.delay = delay
        self.rules = list(rules)
        self.fins = set()  # the senders that have sent a FIN
        self.ends = {}
        for sender, interface in interfaces.items():
            end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            end.bind((interface, ETH_P_ALL))
            end.setblocking(False)
            self.ends[sender] = end
        self.under_way = []
        self.order = itertools.count()
        self.stopping = False

    def stop(self):
        self.stopping = True
        self.join()
        for end in self.ends.values():
            end.close()

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
        if address[2] == socket.PACKET_OUTGOING or self.cut:
            return
        now = time.monotonic()
        seen = Seen(sender, frame)
        copies, due = 1, now + self.delay
        for rule in self.rules:
            if rule.applies(seen):
                copies, due = rule.copies, due + rule.extra_delay
        if seen.fin:
            self.fins.add(sender)
        receiver = "server" if sender == "client" else "client"
        for _ in range(copies):
            heapq.heappush(self.under_way, (due, next(self.order), receiver, frame))
