"""50 MB to a Linux host and 50 MB from it, through a router (Linux, too) whose nft loses segments by lot.

    we 192.168.3.10 -- TAP -- 192.168.3.1 router 198.51.100.1 -- veth -- 198.51.100.80 Linux

The file arrives whole. What is sent again is counted by tshark, at the sender's end, by the same rules for
both: our number must be within a factor of two of the kernel's for the same loss in the same run.
"""

import subprocess
import time

import live
from home import Host

live.in_namespace()
live.need("nft", "dumpcap", "tshark", "curl", "nginx", "ethtool")

SIZE = 50_000_000
SEGMENT = 1448


class Path:
    """The router is this script's own namespace; the far host has one of its own."""

    def __init__(self, percent, congestion):
        self.percent = percent
        self.congestion = congestion

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def set_up(self):
        self.linux = live.Linux()
        self.linux.__enter__()
        self.far = Host(self.linux.folder, "far")
        live.run("ip", "link", "add", "r0", "type", "veth", "peer", "name", "p0")
        live.run("ip", "address", "add", "198.51.100.1/24", "dev", "r0")
        live.run("ip", "link", "set", "r0", "up")
        self.far.take("p0", "198.51.100.80/24")
        self.far.run("ip", "route", "add", "default", "via", "198.51.100.1", "congctl", self.congestion)
        live.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        # Each segment is lost or not by itself: none travels in a super-frame.
        offloads = ("tso", "off", "gso", "off", "gro", "off")
        live.run("ethtool", "-K", "r0", *offloads)
        self.far.run("ethtool", "-K", "p0", *offloads)
        live.run("nft", "add", "table", "ip", "lose")
        live.run("nft", "add", "chain", "ip", "lose", "forward",
                 "{ type filter hook forward priority 0; }")
        live.run("nft", "add", "rule", "ip", "lose", "forward", "meta", "l4proto", "tcp", "numgen",
                 "random", "mod", "100", "<", str(self.percent), "counter", "drop")

    def __exit__(self, *_):
        subprocess.run(["nft", "delete", "table", "ip", "lose"], check=False)
        self.far.end()
        subprocess.run(["ip", "link", "delete", "r0"], stderr=live.NOWHERE, check=False)
        self.linux.__exit__()

    def record(self, enter, device, source, name):
        """dumpcap of what leaves there."""
        path = self.linux.path(name)
        process = subprocess.Popen(
            [*enter("dumpcap", "-q", "-i", device, "-s", "94", "-B", "32", "-w", path, "-f",
                    "tcp and src host " + source)],
            stdout=live.NOWHERE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if line.startswith("File:"):
                return process, path
        raise AssertionError("dumpcap does not start")


def sent_again(path):
    """Segments, as many as the bytes make, that lie below what had been sent before them."""
    highest = {}
    again = 0
    for line in live.tshark(path, "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.seq", "-e",
                            "tcp.len"):
        port, seq, size = line.split()
        seq, size = int(seq), int(size)
        if size == 0:
            continue
        end = highest.get(port, 0)
        again += max(0, min(seq + size, end) - seq)
        highest[port] = max(end, seq + size)
    return round(again / SEGMENT)


def upload(path, file):
    """From us to Linux; seconds, and what was sent again. With Linux's RTO of at least 200 ms: where the
    round trip takes a tenth of a millisecond, and every twentieth retransmission is lost too, the second
    that RFC 6298 asks for is nearly all of the time."""
    server = live.tapestry_in_background(path.linux, "serve", path.linux.folder, "--net", "tap:tap0",
                                         "--no-offload", "--profile", "linux")
    recorder, capture = path.record(lambda *c: c, "tap0", live.WE, "ours.pcapng")
    got = path.far.path("got")
    start = time.monotonic()
    path.far.run("curl", "-sS", "--fail", "--retry-connrefused", "--retry", "20", "--retry-delay", "1",
                 "--connect-timeout", "5", "-o", got, "http://192.168.3.10:8080/large.bin", seconds=300)
    seconds = time.monotonic() - start
    live.stop(server)
    live.stop(recorder)
    assert live.sha256(got) == live.sha256(file)
    return seconds, sent_again(capture)


def download(path, file):
    """From Linux to us."""
    path.far.serve()
    live.run("cp", file, path.far.path("www/large.bin"))
    recorder, capture = path.record(path.far.enter, "p0", "198.51.100.80", "theirs.pcapng")
    body = path.linux.path("body")
    start = time.monotonic()
    live.tapestry("get", "--net", "tap:tap0", "--no-offload", "-o", body,
                  "http://198.51.100.80/large.bin", ok=0, seconds=300)
    seconds = time.monotonic() - start
    live.stop(recorder)
    assert live.sha256(body) == live.sha256(file)
    return seconds, sent_again(capture)


def both_ways(percent, congestion):
    with Path(percent, congestion) as path:
        file = live.make_file(path.linux.path("large.bin"), SIZE)
        our_seconds, ours = upload(path, file)
        their_seconds, theirs = download(path, file)
        print("%d %% loss, %s at the other end: we sent %d segments again in %.1f s, Linux %d in %.1f s"
              % (percent, congestion, ours, our_seconds, theirs, their_seconds), flush=True)
        # BBR does not take a loss for a sign of anything; the kernel's own count is another algorithm's.
        if congestion != "bbr":
            assert ours <= 2 * theirs, (ours, theirs)
        assert ours >= SIZE / SEGMENT * percent / 200, "fewer than half of the losses were seen"


def test_one_percent_to_cubic():
    both_ways(1, "cubic")


def test_five_percent_to_cubic():
    both_ways(5, "cubic")


def test_one_percent_to_reno():
    both_ways(1, "reno")


def test_one_percent_to_bbr():
    both_ways(1, "bbr")


live.main(dict(globals()))
