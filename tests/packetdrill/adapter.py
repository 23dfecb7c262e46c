"""Drives the shared object for packetdrill as packetdrill does: the same flags of dlopen, the same table
of calls, blocking calls in a second thread, packets as bytes. Written from the interface's description.
"""

import ctypes
import os
import socket
import struct
import threading
import time

LIBRARY = os.environ.get("PACKETDRILL", "build/libtapestry_packetdrill.so")
PRELOAD = LIBRARY.replace("packetdrill.so", "packetdrill_tcp_info.so")
RTLD_NOW, RTLD_NODELETE, RTLD_DEEPBIND = 2, 0x1000, 8
US, GATEWAY, PEER = "192.168.0.1", "192.168.0.2", "192.0.2.1"
PORT, PEER_PORT = 8080, 50000

P, I, S = ctypes.c_void_p, ctypes.c_int, ctypes.c_ssize_t
SIGNATURES = [
    ("free", None, []), ("socket", I, [I, I, I]), ("bind", I, [I, P, I]), ("listen", I, [I, I]),
    ("accept", I, [I, P, P]), ("connect", I, [I, P, I]), ("read", S, [I, P, S]),
    ("readv", S, [I, P, I]), ("recv", S, [I, P, S, I]), ("recvfrom", S, [I, P, S, I, P, P]),
    ("recvmsg", S, [I, P, I]), ("write", S, [I, P, S]), ("writev", S, [I, P, I]),
    ("send", S, [I, P, S, I]), ("sendto", S, [I, P, S, I, P, I]), ("sendmsg", S, [I, P, I]),
    ("fcntl", I, [I, I, I]), ("ioctl", I, [I, ctypes.c_ulong, P]), ("close", I, [I]),
    ("shutdown", I, [I, I]), ("getsockopt", I, [I, I, I, P, P]), ("setsockopt", I, [I, I, I, P, I]),
    ("poll", I, [P, ctypes.c_ulong, I]), ("netdev_send", I, [P, S]),
    ("netdev_receive", I, [P, P, P]), ("usleep", I, [ctypes.c_uint]), ("gettimeofday", I, [P, P]),
    ("epoll_create", I, [I]), ("epoll_ctl", I, [I, I, I, P]), ("epoll_wait", I, [I, P, I, I]),
    ("pipe", I, [P]), ("splice", S, [I, P, I, P, S, ctypes.c_uint]),
]
SLOTS = {name: ctypes.CFUNCTYPE(result, P, *arguments, use_errno=True)
         for name, result, arguments in SIGNATURES}


class Table(ctypes.Structure):
    _fields_ = [("userdata", P)] + [(name, SLOTS[name]) for name, _, _ in SIGNATURES]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Segment:
    """A TCP segment that our stack has sent, in numbers of the wire."""

    def __init__(self, packet, at):
        assert checksum(packet[:20]) == 0, "the IP header's checksum is wrong"
        assert packet[0] == 0x45 and struct.unpack("!H", packet[2:4])[0] == len(packet)
        assert struct.unpack("!H", packet[6:8])[0] & 0x3fff == 0, "a fragment"
        self.at, self.tos, self.ttl = at, packet[1], packet[8]
        self.source, self.destination = packet[12:16], packet[16:20]
        tcp = packet[20:]
        pseudo = packet[12:20] + struct.pack("!BBH", 0, 6, len(tcp))
        assert checksum(pseudo + tcp) == 0, "the TCP checksum is wrong"
        (self.sport, self.dport, self.seq, self.ack, offset, flags,
         self.window) = struct.unpack("!HHIIBBH", tcp[:16])
        self.flags = "".join(c for bit, c in zip((1, 2, 4, 8, 16), "FSRP.") if flags & bit)
        self.options, self.data = tcp[20:offset // 16 * 4], tcp[offset // 16 * 4:]


class Blocked(threading.Thread):
    """A call in a second thread, which asks for the time when it is back, as packetdrill's does."""

    def __init__(self, drill, call):
        super().__init__(daemon=True)
        self.drill, self.call = drill, call
        self.result = self.errno = self.back_at = self.tid = None
        self.start()
        self.await_sleep()

    def run(self):
        self.tid = threading.get_native_id()
        self.result = self.call()
        self.errno = ctypes.get_errno()
        self.back_at = self.drill.now()

    def await_sleep(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                with open(f"/proc/self/task/{self.tid}/stat", encoding="ascii") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] == "S":
                        return
            except FileNotFoundError:
                pass
            time.sleep(0.001)
        raise AssertionError("the call does not sleep")

    def finish(self):
        self.join(10)
        assert not self.is_alive(), "the call still blocks"
        return self.result


class Drill:
    """One script's run."""

    def __init__(self, flags=None):
        library = ctypes.CDLL(LIBRARY, mode=RTLD_NOW | RTLD_NODELETE | RTLD_DEEPBIND,
                              use_errno=True)
        self.table = Table()
        init = library.packetdrill_interface_init
        init.argtypes, init.restype = [ctypes.c_char_p, P], None
        init(flags.encode() if flags is not None else None, ctypes.byref(self.table))
        for name, _ in Table._fields_[1:]:
            assert ctypes.cast(getattr(self.table, name), P).value, name + " is empty"
        self.peer_port = PEER_PORT
        self.iss, self.peer_seq = None, 1000
        self.begin = self.now()

    def call(self, name, *arguments):
        return getattr(self.table, name)(self.table.userdata, *arguments)

    def fails(self, wanted, name, *arguments):
        ctypes.set_errno(0)
        result = self.call(name, *arguments)
        assert (result, ctypes.get_errno()) == (-1, wanted), (name, result, ctypes.get_errno())

    def now(self):
        value = (ctypes.c_long * 2)()
        assert self.call("gettimeofday", value, None) == 0
        return value[0] * 1000000 + value[1]

    def passed(self):
        return (self.now() - self.begin) / 1e6

    # ---- sockets
    def socket(self, flags=0):
        fd = self.call("socket", socket.AF_INET, socket.SOCK_STREAM | flags, socket.IPPROTO_TCP)
        assert fd > 2
        os.fstat(fd)  # one that the kernel knows
        return fd

    @staticmethod
    def address(ip, port):
        return ctypes.create_string_buffer(
            struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(ip) +
            b"\0" * 8, 16)

    def bind(self, fd, ip=US, port=PORT):
        return self.call("bind", fd, self.address(ip, port), 16)

    def read(self, fd, size=65536):
        buffer = ctypes.create_string_buffer(size)
        got = self.call("read", fd, buffer, size)
        return buffer.raw[:got] if got >= 0 else got

    def option(self, fd, level, name, value):
        data = value if isinstance(value, bytes) else struct.pack("i", value)
        return self.call("setsockopt", fd, level, name, data, len(data))

    def get_option(self, fd, level, name, size=4):
        value, length = ctypes.create_string_buffer(size), ctypes.c_uint(size)
        assert self.call("getsockopt", fd, level, name, value, ctypes.byref(length)) == 0
        data = value.raw[:length.value]
        return struct.unpack("i", data)[0] if size == 4 else data

    def poll(self, *entries, timeout=0):
        """[(fd, events)] to the list of revents."""
        table = ctypes.create_string_buffer(b"".join(struct.pack("ihh", *e, 0) for e in entries))
        self.poll_result = self.call("poll", table, len(entries), timeout)
        return [struct.unpack_from("ihh", table, 8 * i)[2] for i in range(len(entries))]

    # ---- packets
    def send(self, flags, seq=0, data=b"", ack=None, window=30000, options=b"", port=None, tos=0):
        """From the peer; seq and ack count from both sides' SYNs."""
        bits = sum(bit for bit, c in zip((1, 2, 4, 8, 16), "FSRP.") if c in flags)
        acknowledged = (self.iss + ack) & 0xffffffff if ack is not None else 0
        tcp = struct.pack("!HHIIBBHHH", port or self.peer_port, self.our_port(),
                          (self.peer_seq + seq) & 0xffffffff, acknowledged,
                          (5 + len(options) // 4) << 4, bits, window, 0, 0) + options + data
        ends = socket.inet_aton(PEER) + socket.inet_aton(US)
        total = checksum(ends + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", total) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(tcp), 1, 0, 64, 6, 0) + ends
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        assert self.call("netdev_send", ip + tcp, 20 + len(tcp)) == 0

    def our_port(self):
        return getattr(self, "local_port", PORT)

    def receive(self, flags, seq=None, size=None):
        """The next packet of ours, held against what is wanted."""
        buffer = ctypes.create_string_buffer(65536)
        length, at = ctypes.c_size_t(65536), ctypes.c_longlong()
        assert self.call("netdev_receive", buffer, ctypes.byref(length), ctypes.byref(at)) == 0
        seen = Segment(buffer.raw[:length.value], (at.value - self.begin) / 1e6)
        if "S" in seen.flags:
            self.iss = seen.seq
        seen.rel = (seen.seq - self.iss) & 0xffffffff
        seen.rel_ack = (seen.ack - self.peer_seq) & 0xffffffff
        assert seen.flags == flags, (seen.flags, flags)
        assert seq is None or seen.rel == seq, (seen.rel, seq)
        assert size is None or len(seen.data) == size, (len(seen.data), size)
        return seen

    def established(self, options=b"\x02\x04\x05\xb4"):
        """(listener, connection)"""
        listener = self.socket()
        assert self.bind(listener) == 0 and self.call("listen", listener, 1) == 0
        self.send("S", options=options)
        self.receive("S.")
        self.send(".", 1, ack=1)
        return listener, self.call("accept", listener, None, None)

    def end(self, *fds):
        """As the tool ends: a reset for each connection under test, the system's close(), free()."""
        for fd in fds:
            os.close(fd)
        self.call("free")
