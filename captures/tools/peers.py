"""The small socket programs that talk in the captures: peers.py NAME ARGUMENTS."""

import base64
import fcntl
import hashlib
import http.server
import os
import select
import socket
import struct
import sys
import time

CLIENT, SERVER = "192.168.3.10", os.environ.get("SERVER", "192.168.3.1")
PORT = 7000


def text(size, what):
    """`size` bytes in numbered lines, so that a lost or repeated one can be seen."""
    line = "{:05d} {} abcdefghijklmnopqrstuvwxyz\n"
    lines = "".join(line.format(n, what) for n in range(size // 30 + 1))
    return lines[:size].encode()


def accepted(options=()):
    listener = socket.create_server((SERVER, PORT))
    for option in options:
        listener.setsockopt(*option)
    return listener.accept()[0]


def connected(options=()):
    connection = socket.socket()
    for option in options:
        connection.setsockopt(*option)
    connection.connect((SERVER, PORT))
    return connection


def read_all(connection):
    taken = bytearray()
    while block := connection.recv(65536):
        taken += block
    return bytes(taken)


def read_exactly(connection, size):
    taken = bytearray()
    while len(taken) < size:
        block = connection.recv(size - len(taken))
        if not block:
            raise EOFError
        taken += block
    return bytes(taken)


def no_linger():
    return (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# Servers

def capitals_server():
    """Reads to the end of the stream, then sends it back in capitals."""
    with accepted() as connection:
        connection.sendall(read_all(connection).upper())


def echo_server():
    with accepted() as connection:
        while block := connection.recv(65536):
            connection.sendall(block)


def send_server(size):
    """Sends `size` bytes and closes."""
    with accepted() as connection:
        connection.sendall(text(int(size), "of the server"))


def send_and_wait_server(size):
    """Sends `size` bytes, then waits for the other side to end the connection."""
    with accepted() as connection:
        connection.sendall(text(int(size), "of the server"))
        try:
            read_all(connection)
        except ConnectionResetError:
            pass


def answer_server(request, reply):
    """Reads `request` bytes, sends `reply` bytes, waits for the end."""
    with accepted() as connection:
        read_exactly(connection, int(request))
        connection.sendall(text(int(reply), "of the server"))
        try:
            read_all(connection)
        except ConnectionResetError:
            pass


def late_server(size, seconds):
    """Answers only when the client has gone."""
    with accepted() as connection:
        read_exactly(connection, 100)
        time.sleep(float(seconds))
        connection.sendall(text(int(size), "of the server"))
        time.sleep(0.3)


def appointment_server():
    """Reads a time of the common clock, and closes then."""
    with accepted() as connection:
        deadline = float(read_exactly(connection, 20))
        connection.sendall(b"agreed\n")
        time.sleep(deadline - time.monotonic())


def udp_echo_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((SERVER, PORT))
        while True:
            data, sender = server.recvfrom(65536)
            server.sendto(data, sender)


def send_and_wait_server_quietly(size):
    """The same, when the other side may reset at any time."""
    try:
        send_and_wait_server(size)
    except (ConnectionResetError, BrokenPipeError):
        pass


# Clients

def half_close_client(size):
    with connected() as connection:
        connection.sendall(text(int(size), "of the client"))
        connection.shutdown(socket.SHUT_WR)
        assert len(read_all(connection)) == int(size)


def read_client(max_segment=0):
    """Reads to the end of the stream, closes after the server."""
    options = [(socket.IPPROTO_TCP, socket.TCP_MAXSEG, int(max_segment))] if int(max_segment) else []
    with connected(options) as connection:
        read_all(connection)


def request_client(request, reply):
    """Sends, reads the answer, closes first."""
    with connected() as connection:
        connection.sendall(text(int(request), "of the client"))
        read_exactly(connection, int(reply))
        time.sleep(0.1)


def send_client(size):
    """Sends and closes."""
    with connected() as connection:
        connection.sendall(text(int(size), "of the client"))


def linger_client(request, reply):
    with connected() as connection:
        connection.sendall(text(int(request), "of the client"))
        read_exactly(connection, int(reply))
        connection.setsockopt(*no_linger())


def unread_client():
    """Closes although the answer lies in the receive buffer."""
    with connected() as connection:
        connection.sendall(text(100, "of the client"))
        time.sleep(0.2)


def leaving_client():
    """Sends a request and closes at once."""
    with connected() as connection:
        connection.sendall(text(100, "of the client"))


def appointment_client():
    with connected() as connection:
        deadline = time.monotonic() + 0.3
        connection.sendall(f"{deadline:19.6f}\n".encode())
        read_exactly(connection, 7)
        time.sleep(deadline - time.monotonic())


def slow_client(buffer, size, pause):
    """A small receive buffer and a long pause before reading."""
    with connected([(socket.SOL_SOCKET, socket.SO_RCVBUF, int(buffer))]) as connection:
        time.sleep(float(pause))
        left = int(size)
        while left:
            left -= len(connection.recv(2048))
            time.sleep(0.02)
        assert connection.recv(1) == b""


def slow_get_client(buffer, pause):
    """An HTTP request, and a long pause before the answer is read."""
    with connected([(socket.SOL_SOCKET, socket.SO_RCVBUF, int(buffer))]) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        time.sleep(float(pause))
        read_all(connection)


def chat_client(lines):
    """Sends a line, waits for its echo, and so on."""
    with connected([(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]) as connection:
        for number in range(int(lines)):
            line = f"line {number}: " .encode() + b"x" * (10 * number) + b"\n"
            connection.sendall(line)
            assert read_exactly(connection, len(line)) == line
            time.sleep(0.08)


def keep_alive_client(seconds):
    """Is silent for a while, with a probe every second; ends when the peer has gone."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
               (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
               (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
               (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)]
    with connected(options) as connection:
        connection.sendall(b"anybody there?\n")
        read_exactly(connection, 15)
        connection.settimeout(float(seconds))
        try:
            connection.recv(1)
        except TimeoutError:
            pass


def open_at(local, local_port, remote, remote_port, deadline):
    """Connects at a time of the common clock, as the other side does."""
    connection = socket.socket()
    connection.bind((local, int(local_port)))
    time.sleep(float(deadline) - time.monotonic())
    connection.connect((remote, int(remote_port)))
    with connection:
        connection.sendall(f"from port {local_port}\n".encode())
        read_exactly(connection, 15)
        time.sleep(0.1 if local == CLIENT else 0.2)


def udp_client(count, *sizes):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((SERVER, PORT))
        client.settimeout(2)
        for number in range(int(count)):
            data = text(int(sizes[number % len(sizes)]), "of the client")
            client.send(data)
            try:
                assert client.recv(65536) == data
            except ConnectionRefusedError:
                pass  # the port is unreachable: that is what some want to see


# About single corners of TCP

def reset_reader_client(wanted):
    """Reads a part of the answer, then resets."""
    with connected() as connection:
        read_exactly(connection, int(wanted))
        connection.setsockopt(*no_linger())


def vanishing_server():
    """Echoes until its host is cut off (see the scenario), then ends without a word."""
    with accepted([no_linger()]) as connection:
        connection.sendall(connection.recv(65536))
        connection.recv(65536)


def surprised_client(pause):
    """Talks, is silent, talks again to a server that has forgotten it; begins anew after the reset."""
    for turn in range(2):
        with connected() as connection:
            connection.sendall(b"do you know me?\n")
            read_exactly(connection, 16)
            if turn:
                return
            time.sleep(float(pause))
            connection.sendall(b"and do you still?\n")
            try:
                connection.recv(1)
                raise AssertionError("the server still knew it")
            except ConnectionResetError:
                pass


def same_port_client(port, times):
    """Takes the same local port for each of its connections."""
    for _ in range(int(times)):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.bind((CLIENT, int(port)))
            connection.connect((SERVER, PORT))
            read_all(connection)
        time.sleep(0.05)  # till the last acknowledgment has come


def send_server_again(size, times):
    listener = socket.create_server((SERVER, PORT))
    for _ in range(int(times)):
        with listener.accept()[0] as connection:
            connection.sendall(text(int(size), "of the server"))


def small_reads_client(buffer, size, step):
    """A tiny buffer, emptied by a few bytes at a time."""
    with connected([(socket.SOL_SOCKET, socket.SO_RCVBUF, int(buffer))]) as connection:
        time.sleep(0.1)
        left = int(size)
        while left:
            left -= len(connection.recv(min(left, int(step))))
            time.sleep(0.01)
        assert connection.recv(1) == b""


def urgent_client():
    with connected() as connection:
        connection.sendall(b"some lines of work\n")
        time.sleep(0.05)
        connection.send(b"stop!", socket.MSG_OOB)
        time.sleep(0.05)
        connection.sendall(b"and more work\n")


def urgent_server():
    with accepted() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        read_all(connection)


def two_writes_client(rounds, no_delay):
    """Each request in two small writes: Nagle's algorithm and delayed ACKs at work, or not."""
    with connected([(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(no_delay))]) as connection:
        for _ in range(int(rounds)):
            connection.sendall(text(40, "header"))
            connection.sendall(text(200, "body"))
            read_exactly(connection, 20)
            time.sleep(0.02)


def rounds_server(request, reply):
    with accepted() as connection:
        try:
            while True:
                read_exactly(connection, int(request))
                connection.sendall(text(int(reply), "reply"))
        except EOFError:
            pass


def idle_then_data_client(seconds):
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
               (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)]
    with connected(options) as connection:
        for _ in range(2):
            connection.sendall(b"anybody there?\n")
            read_exactly(connection, 15)
            time.sleep(float(seconds))


# Protocols on top

class Upload(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        body = f"{size} bytes, thank you\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def upload_server():
    http.server.HTTPServer((SERVER, 80), Upload).serve_forever()


def pipelining_client():
    """Three requests in one segment; the answers come in their order (RFC 9112 section 9.3.2)."""
    with socket.create_connection((SERVER, 80)) as connection:
        request = "GET /{} HTTP/1.1\r\nHost: server\r\n{}\r\n"
        connection.sendall((request.format("", "") + request.format("second.html", "")
                            + request.format("none.html", "Connection: close\r\n")).encode())
        assert read_all(connection).count(b"HTTP/1.1 ") == 3


def websocket_frame(opcode, payload, key=b""):
    """RFC 6455 section 5.2; short payloads only. What a client sends is masked with `key`."""
    mask = 0x80 if key else 0
    if key:
        payload = bytes(b ^ key[i % 4] for i, b in enumerate(payload))
    length = bytes([mask | len(payload)]) if len(payload) < 126 else \
        struct.pack("!BH", mask | 126, len(payload))
    return bytes([0x80 | opcode]) + length + key + payload


def websocket_server():
    with accepted() as connection:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(65536)
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n")
                   if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        read_exactly(connection, 11)  # "hello", masked
        connection.sendall(websocket_frame(1, b"good evening"))
        connection.sendall(websocket_frame(9, b"alive?"))
        read_exactly(connection, 12)  # pong
        connection.sendall(websocket_frame(2, text(1000, "of the server")))
        read_exactly(connection, 8)  # close, 1000
        connection.sendall(websocket_frame(8, b"\x03\xe8"))


def websocket_client():
    key = b"\x12\x34\x56\x78"
    with connected() as connection:
        connection.sendall(b"GET /talk HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\n"
                           b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        connection.sendall(websocket_frame(1, b"hello", key))
        read_exactly(connection, 14 + 8)
        connection.sendall(websocket_frame(10, b"alive?", key))
        read_exactly(connection, 4 + 1000)
        connection.sendall(websocket_frame(8, b"\x03\xe8", key))
        assert read_exactly(connection, 4) == b"\x88\x02\x03\xe8"


def dns_question(number, name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)


def dns_server():
    """Knows one name; the second answer is "no such name"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((SERVER, 53))
        for known in (True, False):
            question, sender = server.recvfrom(512)
            answer = struct.pack("!HHHLH4s", 0xC00C, 1, 1, 300, 4, socket.inet_aton(SERVER))
            head = struct.pack("!2s5H", question[:2], 0x8580 if known else 0x8583, 1, int(known), 0, 0)
            server.sendto(head + question[12:] + (answer if known else b""), sender)


def dns_client():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((SERVER, 53))
        client.settimeout(2)
        for number, name in ((0x1001, "server.example"), (0x1002, "nobody.example")):
            client.send(dns_question(number, name))
            assert client.recv(512)[:2] == struct.pack("!H", number)


def datagram_client(size):
    """One datagram; waits for nothing but an error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((SERVER, PORT))
        client.send(text(int(size), "of the client"))
        time.sleep(2)


def tunnel(name):
    """Carries IP packets between tun0 and UDP port 5555 of the other host."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF, no header
    here, there = (CLIENT, "192.168.3.1") if name == "client" else ("192.168.3.1", CLIENT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        carrier.bind((here, 5555))
        while True:
            ready = select.select([device, carrier], [], [])[0]
            if device in ready:
                carrier.sendto(os.read(device, 2048), (there, 5555))
            if carrier in ready:
                os.write(device, carrier.recv(2048))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
