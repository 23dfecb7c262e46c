"""Other TCPs than Linux's own, and what runs on top: HTTP in its variants, WebSocket, DNS."""

import os
import subprocess
import sys

from lab import CLIENT, SERVER, die_with_parent
from peers import PORT
from registry import curl, nginx, scenario, talk
from shapes import Slirp
from wire import lose

HERE = os.path.dirname(os.path.abspath(__file__))


def lwip(lab, host, address, *words):
    """Compiles lwip_host.c, starts it, waits until it can be talked to."""
    program = os.path.join(lab.folder.name, "lwip_host")
    subprocess.run(["cc", "-O1", "-Wall", "-I/usr/include/lwip", "-o", program,
                    os.path.join(HERE, "lwip_host.c"), "-llwip", "-lpthread"], check=True)
    process = subprocess.Popen(host.command(program, "eth0", address, *map(str, words)),
                               stdout=subprocess.PIPE, preexec_fn=die_with_parent)
    host.running.append(process)
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("lwip_host did not start")
    return process


@scenario("lwip-client", "lwIP gets a page from nginx", bare=["client"])
def lwip_client(lab):
    nginx(lab)
    lab.wait(lwip(lab, lab.client, CLIENT, "get", SERVER, 80))


@scenario("lwip-server", "curl gets 30 kB from lwIP: its slow start, its delayed ACKs", bare=["server"])
def lwip_server(lab):
    serving = lwip(lab, lab.server, SERVER, "serve", 80, 30000)
    curl(lab, f"http://{SERVER}/")
    lab.wait(serving)


@scenario("lwip-sends-lost", "one data segment of lwIP is lost: its fast retransmit (no SACK in lwIP)",
          bare=["server"], rules=lambda: [lose("server", lambda s: s.data, 14)])
def lwip_sends_lost(lab):
    lwip_server(lab)


@scenario("lwip-reads-lost", "one data segment to lwIP is lost: its duplicate ACKs, its reassembly",
          bare=["client"], rules=lambda: [lose("server", lambda s: s.data, 14)])
def lwip_reads_lost(lab):
    serving = lab.server.peer("send_server", 30000)
    lab.server.wait_for_port(PORT)
    lab.wait(lwip(lab, lab.client, CLIENT, "read", SERVER, PORT), serving)


@scenario("lwip-zero-window", "lwIP's reader pauses: zero window, probes with one byte of data",
          bare=["server"])
def lwip_zero_window(lab):
    serving = lwip(lab, lab.server, SERVER, "serve", PORT, 30000)
    lab.wait(lab.client.peer("slow_get_client", 8192, 4), serving)


@scenario("slirp", "curl behind slirp4netns: libslirp's TCP for the guest, Linux's for the server",
          shape=Slirp)
def slirp(lab):
    nginx(lab)
    lab.client = lab.guest
    curl(lab, f"http://{SERVER}/", f"http://{SERVER}/second.html")


@scenario("post-continue", "curl posts 5000 bytes after \"100 Continue\"")
def post_continue(lab):
    lab.server.peer("upload_server")
    lab.server.wait_for_port(80)
    path = os.path.join(lab.folder.name, "upload")
    with open(path, "wb") as file:
        file.write(b"0123456789abcde\n" * 320)
    curl(lab, "-H", "Expect: 100-continue", "--data-binary", f"@{path}", f"http://{SERVER}/")


@scenario("pipelined", "three requests to nginx in one segment, three answers")
def pipelined(lab):
    nginx(lab)
    lab.wait(lab.client.peer("pipelining_client"))


@scenario("parallel", "curl fetches from nginx over two connections at the same time")
def parallel(lab):
    nginx(lab)
    curl(lab, "--parallel", "--parallel-immediate", f"http://{SERVER}/", f"http://{SERVER}/second.html")


scenario("websocket", "an upgrade to WebSocket, text, ping and pong, binary, close (RFC 6455)")(
    talk(["websocket_server"], ["websocket_client"]))


@scenario("dns", "a question with an answer, and one for a name that nobody has")
def dns(lab):
    serving = lab.server.peer("dns_server")
    lab.server.wait_for_port(53, "udp", "07")
    lab.wait(lab.client.peer("dns_client"), serving)


@scenario("python-server", "two curls, one after the other, from python3 -m http.server")
def python_server(lab):
    folder = lab.folder.name
    lab.server.start(sys.executable, "-m", "http.server", "--bind", SERVER, "--directory", folder, "80")
    lab.server.wait_for_port(80)
    curl(lab, f"http://{SERVER}/missing.html")
    curl(lab, "-I", f"http://{SERVER}/")
