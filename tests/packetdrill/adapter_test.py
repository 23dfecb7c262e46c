"""The shared object for packetdrill, through everything that the tool does with it."""

import ctypes
import errno
import os
import select
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import adapter  # noqa: E402
import live  # noqa: E402
from adapter import Blocked, Drill  # noqa: E402

IPPROTO_TCP, SOL_SOCKET = socket.IPPROTO_TCP, socket.SOL_SOCKET


def near(have, want):
    assert abs(have - want) < 0.001, (have, want)


def reset_and_end(drill, *fds, seq=1):
    drill.send("R", seq)
    drill.end(*fds)


def test_clock_goes_by_itself_and_by_usleep():
    drill = Drill()
    first = drill.now()
    assert drill.now() > first
    drill.call("usleep", 3600 * 1000000)
    near(drill.passed(), 3600)
    drill.end()


def test_connect_that_blocks():
    drill = Drill("profile=linux")
    fd = drill.socket()
    connect = Blocked(drill, lambda: drill.call("connect", fd, drill.address(adapter.PEER, 8080), 16))
    syn = drill.receive("S")
    assert syn.dport == 8080 and syn.source == socket.inet_aton(adapter.US)
    assert syn.options[:4] == b"\x02\x04\x05\xb4"
    drill.local_port, drill.peer_port = syn.sport, 8080
    drill.call("usleep", 100000)
    drill.send("S.", 0, ack=1, options=b"\x02\x04\x05\xb4")
    assert connect.finish() == 0
    near((connect.back_at - drill.begin) / 1e6, 0.1)
    drill.receive(".", 1)
    assert drill.call("write", fd, b"x" * 100, 100) == 100
    drill.receive("P.", 1, 100)
    reset_and_end(drill, fd)


def test_connect_that_is_refused():
    drill = Drill()
    fd = drill.socket()
    connect = Blocked(drill, lambda: drill.call("connect", fd, drill.address(adapter.PEER, 8080), 16))
    drill.local_port, drill.peer_port = drill.receive("S").sport, 8080
    drill.send("R.", 0, ack=1)
    assert connect.finish() == -1 and connect.errno == errno.ECONNREFUSED
    drill.end(fd)


def test_connect_that_does_not_block():
    drill = Drill()
    fd = drill.socket(socket.SOCK_NONBLOCK)
    peer = drill.address(adapter.PEER, 8080)
    drill.fails(errno.EINPROGRESS, "connect", fd, peer, 16)
    drill.fails(errno.EALREADY, "connect", fd, peer, 16)
    drill.local_port, drill.peer_port = drill.receive("S").sport, 8080
    drill.send("S.", 0, ack=1)
    assert drill.call("connect", fd, peer, 16) == 0
    drill.fails(errno.EISCONN, "connect", fd, peer, 16)
    drill.receive(".", 1)
    reset_and_end(drill, fd)


def test_accept_read_write_close():
    drill = Drill("local_ip=192.168.0.1")
    listener = drill.socket()
    assert drill.bind(listener) == 0 and drill.call("listen", listener, 1) == 0
    from_whom, length = ctypes.create_string_buffer(16), ctypes.c_uint(16)
    accept = Blocked(drill, lambda: drill.call("accept", listener, from_whom,
                                               ctypes.byref(length)))
    drill.send("S", options=b"\x02\x04\x05\xb4")
    drill.receive("S.")
    drill.call("usleep", 50000)
    drill.send(".", 1, ack=1)
    fd = accept.finish()
    near((accept.back_at - drill.begin) / 1e6, 0.05)
    assert from_whom.raw[4:8] == socket.inet_aton(adapter.PEER)
    read = Blocked(drill, lambda: drill.read(fd))
    drill.call("usleep", 10000)
    drill.send("P.", 1, b"hello", ack=1)
    assert read.finish() == b"hello"
    near((read.back_at - drill.begin) / 1e6, 0.06)
    ack = drill.receive(".", 1)
    assert ack.rel_ack == 6
    near(ack.at, 0.06)  # at once: the profile has Linux's quick ACKs at the beginning
    drill.send("F.", 6, ack=1)
    drill.receive(".", 1)
    assert drill.read(fd) == b""
    assert drill.call("close", fd) == 0
    drill.receive("F.", 1)
    drill.fails(errno.EBADF, "read", fd, None, 0)
    drill.send(".", 7, ack=2)
    drill.end(listener)


def test_write_that_blocks_comes_back_when_everything_is_queued():
    drill = Drill("tcp.send_buffer=2000")
    listener, fd = drill.established()
    write = Blocked(drill, lambda: drill.call("write", fd, b"x" * 3000, 3000))
    drill.receive(".", 1, 1460)
    drill.call("usleep", 20000)
    drill.send(".", 1, ack=1461)
    assert write.finish() == 3000
    near((write.back_at - drill.begin) / 1e6, 0.02)
    # Nothing is under way, so the rest of the first 2000 leaves; Nagle keeps the last 1000 for a while.
    drill.receive("P.", 1461, 540)
    drill.send(".", 1, ack=2001)
    drill.receive("P.", 2001, 1000)
    reset_and_end(drill, fd, listener)


def test_retransmission_has_its_time():
    drill = Drill("tcp.initial_rto=300ms")
    listener, fd = drill.established()
    assert drill.call("write", fd, b"x" * 10, 10) == 10
    first, again = drill.receive("P.", 1, 10), drill.receive("P.", 1, 10)
    assert 0.19 < again.at - first.at < 0.31, again.at
    reset_and_end(drill, fd, listener)


def test_an_idle_hour_with_keep_alive():
    drill = Drill()
    listener, fd = drill.established()
    assert drill.option(fd, IPPROTO_TCP, socket.TCP_KEEPIDLE, 3600) == 0
    assert drill.option(fd, SOL_SOCKET, socket.SO_KEEPALIVE, 1) == 0
    probe = drill.receive(".", 0, 0)
    near(probe.at, 3600)
    drill.send(".", 1, ack=1)
    drill.call("usleep", 1000)
    reset_and_end(drill, fd, listener)


def test_poll_says_what_linux_says():
    drill = Drill()
    listener, fd = drill.established()
    every = select.POLLIN | select.POLLOUT | select.POLLRDHUP
    assert drill.poll((fd, every), (listener, every)) == [select.POLLOUT, 0]
    assert drill.poll((fd, select.POLLIN)) == [0] and drill.poll_result == 0
    near(drill.passed(), 0)
    assert drill.poll((99, every)) == [select.POLLNVAL]
    waits = Blocked(drill, lambda: drill.poll((fd, select.POLLIN), timeout=1000))
    drill.call("usleep", 2000000)
    assert waits.finish() == [0]
    near((waits.back_at - drill.begin) / 1e6, 1)
    waits = Blocked(drill, lambda: drill.poll((fd, every & ~select.POLLOUT), timeout=-1))
    drill.send("F.", 1, ack=1)
    assert waits.finish() == [select.POLLIN | select.POLLRDHUP]
    drill.receive(".", 1)
    drill.send("R", 2)
    assert drill.poll((fd, every)) == [every | select.POLLERR | select.POLLHUP]
    assert drill.get_option(fd, SOL_SOCKET, socket.SO_ERROR) == errno.EPIPE
    assert drill.get_option(fd, SOL_SOCKET, socket.SO_ERROR) == 0
    drill.end(fd, listener)


def test_epoll():
    drill = Drill()
    listener, fd = drill.established()
    epoll = drill.call("epoll_create", 1)

    def event(bits, data):
        return struct.pack("=IQ", bits, data)

    def wait(timeout=0):
        out = ctypes.create_string_buffer(12 * 4)
        count = drill.call("epoll_wait", epoll, out, 4, timeout)
        return [struct.unpack_from("=IQ", out, 12 * i) for i in range(count)]

    add, modify, remove = 1, 3, 2
    assert drill.call("epoll_ctl", epoll, add, fd, event(select.EPOLLIN | select.EPOLLET, 7)) == 0
    drill.fails(errno.EEXIST, "epoll_ctl", epoll, add, fd, event(select.EPOLLIN, 7))
    assert wait() == []
    waits = Blocked(drill, lambda: wait(-1))
    drill.send("P.", 1, b"abc", ack=1)
    assert waits.finish() == [(select.EPOLLIN, 7)]
    drill.receive(".", 1)
    assert wait() == [], "an edge is told once"
    assert drill.call("epoll_ctl", epoll, modify, fd, event(select.EPOLLIN, 8)) == 0
    assert wait() == [(select.EPOLLIN, 8)] and wait() == [(select.EPOLLIN, 8)]
    assert drill.call("epoll_ctl", epoll, remove, fd, None) == 0
    assert wait() == []
    drill.fails(errno.ENOTSOCK, "read", epoll, None, 0)
    reset_and_end(drill, fd, listener, epoll, seq=4)


def test_options_of_both_directions():
    drill = Drill()
    listener, fd = drill.established()
    for level, name, value in ((SOL_SOCKET, socket.SO_SNDBUF, 5000),
                               (SOL_SOCKET, socket.SO_RCVBUF, 6000),
                               (IPPROTO_TCP, socket.TCP_NODELAY, 1),
                               (IPPROTO_TCP, socket.TCP_KEEPCNT, 5),
                               (IPPROTO_TCP, socket.TCP_KEEPINTVL, 11),
                               (IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30000),
                               (0, socket.IP_TTL, 9), (0, socket.IP_TOS, 0x20)):
        assert drill.option(fd, level, name, value) == 0
        assert drill.get_option(fd, level, name) == value
    assert drill.option(fd, SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5)) == 0
    assert drill.get_option(fd, SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 5)
    for level, name, value in ((IPPROTO_TCP, socket.TCP_KEEPCNT, 128), (0, socket.IP_TTL, 256),
                               (IPPROTO_TCP, socket.TCP_KEEPIDLE, 0),
                               (IPPROTO_TCP, socket.TCP_MAXSEG, 40000)):
        assert drill.option(fd, level, name, value) == -1
        assert ctypes.get_errno() == errno.EINVAL
    assert drill.option(fd, IPPROTO_TCP, 250, 1) == -1 and ctypes.get_errno() == errno.ENOPROTOOPT
    assert drill.call("write", fd, b"x", 1) == 1
    seen = drill.receive("P.", 1, 1)
    assert (seen.ttl, seen.tos) == (9, 0x20)
    reset_and_end(drill, fd, listener)


def test_fcntl_ioctl_and_vectors():
    drill = Drill()
    listener, fd = drill.established()
    assert drill.call("fcntl", fd, 3, 0) == os.O_RDWR
    assert drill.call("fcntl", fd, 4, os.O_NONBLOCK) == 0
    drill.fails(errno.EAGAIN, "read", fd, ctypes.create_string_buffer(1), 1)
    drill.send("P.", 1, b"hello", ack=1)
    drill.receive(".", 1)
    waiting = ctypes.c_int()
    assert drill.call("ioctl", fd, 0x541b, ctypes.addressof(waiting)) == 0 and waiting.value == 5
    first, second = ctypes.create_string_buffer(2), ctypes.create_string_buffer(10)
    pieces = (ctypes.c_size_t * 4)(ctypes.addressof(first), 2, ctypes.addressof(second), 10)
    assert drill.call("recv", fd, second, 3, socket.MSG_PEEK) == 3 and second.raw[:3] == b"hel"
    assert drill.call("readv", fd, pieces, 2) == 5 and first.raw + second.raw[:3] == b"hello"
    pieces[3] = 3
    assert drill.call("writev", fd, pieces, 2) == 5
    assert drill.receive("P.", 1, 5).data == b"hello"
    for name, arguments in (("pipe", [None]), ("splice", [0, None, 1, None, 1, 0])):
        drill.fails(errno.ENOSYS, name, *arguments)
    reset_and_end(drill, fd, listener, seq=6)


def test_segment_larger_than_the_mtu_is_taken():
    drill = Drill()
    listener, fd = drill.established()
    drill.send("P.", 1, b"y" * 50000, ack=1)
    drill.receive(".", 1)
    assert len(drill.read(fd)) == 50000
    drill.receive(".", 1)  # most of the first 64 KB are free again, and the peer should know
    reset_and_end(drill, fd, listener, seq=50001)


def test_linger_zero_resets():
    drill = Drill()
    listener, fd = drill.established()
    assert drill.option(fd, SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)) == 0
    assert drill.call("close", fd) == 0
    drill.receive("R.", 1)
    drill.end(listener)


def test_linger_waits_for_the_acknowledgment():
    drill = Drill()
    listener, fd = drill.established()
    assert drill.option(fd, SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5)) == 0
    assert drill.call("write", fd, b"x", 1) == 1
    drill.receive("P.", 1, 1)
    close = Blocked(drill, lambda: drill.call("close", fd))
    drill.receive("F.", 2)
    drill.call("usleep", 30000)
    drill.send(".", 1, ack=3)
    assert close.finish() == 0
    near((close.back_at - drill.begin) / 1e6, 0.03)
    drill.end(listener)


def test_bind_tells_our_address():
    drill = Drill()
    fd = drill.socket()
    assert drill.bind(fd, "192.168.44.5") == 0
    drill.fails(errno.EADDRNOTAVAIL, "bind", drill.socket(), drill.address("10.1.1.1", 1), 16)
    connect = Blocked(drill, lambda: drill.call("connect", fd, drill.address(adapter.PEER, 8080), 16))
    assert drill.receive("S").source == socket.inet_aton("192.168.44.5")
    del connect


def in_a_process(body, **environment):
    """What kills its process, or needs another one: (status, stderr)."""
    code = ("import sys\n"
            f"sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})\n"
            "from adapter import *\n" + body)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **environment})
    return done.returncode, done.stderr


def test_packets_that_nobody_expects_fail_at_the_end():
    body = ("drill = Drill({!r})\n"
            "listener, fd = drill.established()\n"
            "drill.call('write', fd, b'x', 1)\n"
            "drill.send('R', 1)\n"
            "drill.end(fd, listener)\n")
    status, said = in_a_process(body.format(""))
    assert status == 1 and "no line of the script expects" in said, (status, said)
    status, said = in_a_process(body.format("extra_packets=allow"))
    assert status == 0, said


def test_waiting_for_nothing_ends_the_process_with_a_reason():
    status, said = in_a_process("drill = Drill()\ndrill.socket()\ndrill.receive('S')\n")
    assert status == 1 and "nothing is left that could cause one" in said, (status, said)


def test_wrong_flags_are_named():
    for flags, why in (("tcp.min_rto=fast", "wanted a time"), ("min_rto=1s", "no setting"),
                       ("profile=bsd", "linux or default"), ("verbose", "key=value"),
                       ("config=/nonexistent", "cannot be read"), ("mtu=20", "68 to 65535")):
        status, said = in_a_process(f"Drill({flags!r}).socket()\n")
        assert status == 1 and why in said, (flags, said)


def test_configuration_from_a_file_is_read_at_the_first_socket():
    import tempfile
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        drill = Drill("config=" + file.name)
        file.write("# slower\ntcp.initial_rto=5s tcp.timestamps=0\n")
        file.flush()
        fd = drill.socket(socket.SOCK_NONBLOCK)
        drill.fails(errno.EINPROGRESS, "connect", fd, drill.address(adapter.PEER, 8080), 16)
        first = drill.receive("S")
        assert b"\x08\x0a" not in first.options
        near(drill.receive("S").at - first.at, 5)


def test_tcp_info_by_the_systems_getsockopt():
    body = ("libc = ctypes.CDLL(None, use_errno=True)\n"
            "drill = Drill()\n"
            "listener, fd = drill.established()\n"
            "value, length = ctypes.create_string_buffer(256), ctypes.c_uint(256)\n"
            "assert libc.getsockopt(fd, 6, 11, value, ctypes.byref(length)) == 0\n"
            "assert value.raw[0] == 1, 'TCP_ESTABLISHED'\n"
            "mss, = struct.unpack_from('I', value.raw, 16)\n"
            "assert mss == 1460, mss\n"
            "cwnd, = struct.unpack_from('I', value.raw, 80)\n"
            "assert cwnd == 10, cwnd\n"
            "plain = socket.socket()\n"
            "assert plain.getsockopt(6, 11, 1) == b'\\x07', 'the kernel for what is its'\n"
            "drill.send('R', 1)\n"
            "drill.end(fd, listener)\n")
    status, said = in_a_process(body, LD_PRELOAD=os.path.abspath(adapter.PRELOAD))
    assert status == 0, said
    status, said = in_a_process(body)
    assert status != 0, "without the library the kernel is asked, which knows no such socket"


if __name__ == "__main__":
    if not os.path.exists(adapter.LIBRARY):
        live.skip(adapter.LIBRARY + " has not been built")
    live.main(dict(globals()))
