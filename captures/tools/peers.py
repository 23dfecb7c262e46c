"""The small socket programs that talk in the captures: peers.py NAME ARGUMENTS."""

import socket
import struct
import sys
import time

CLIENT, SERVER = "192.168.3.10", "192.168.3.1"
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


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
