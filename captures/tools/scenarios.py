"""What is recorded: each function sets one conversation up; `what` says what to see in it."""

import os
import sys
import time

from lab import SERVER
from peers import CLIENT, PORT
from registry import CLASSIC, curl, nginx, page, scenario, talk
from wire import double, hold_back, lose


@scenario("http-get", "curl and python3 -m http.server: one request, HTTP/1.0, the server closes")
def http_get(lab):
    page(lab, "index.html", 900)
    lab.server.start(sys.executable, "-m", "http.server", "--bind", SERVER, "--directory",
                     lab.folder.name, "80")
    lab.server.wait_for_port(80)
    curl(lab, f"http://{SERVER}/")


@scenario("http-keep-alive", "curl and nginx: two requests on one connection, then the client closes")
def http_keep_alive(lab):
    nginx(lab)
    curl(lab, f"http://{SERVER}/", f"http://{SERVER}/second.html")


@scenario("refused", "nc to a port that nobody listens on: the SYN is answered by RST,ACK")
def refused(lab):
    lab.client.start("nc", "-d", "-w", "2", SERVER, "81").wait(timeout=5)


@scenario("server-closes-first", "nc against nc: a greeting from the server, which closes at once")
def server_closes_first(lab):
    greeting = os.path.join(lab.folder.name, "greeting")
    with open(greeting, "wb") as file:
        file.write(b"good evening\n")
    with open(greeting, "rb") as file:
        serving = lab.server.start("nc", "-l", "-N", SERVER, "13", stdin=file)
        lab.server.wait_for_port(13)
        lab.wait(lab.client.start("nc", "-d", SERVER, "13"), serving)


scenario("half-close-client", "the client shuts its side down and still reads 3000 bytes")(
    talk(["capitals_server"], ["half_close_client", 3000]))
scenario("half-close-server", "the server sends 2000 bytes and a FIN; the client's side stays open "
         "till it has read them")(talk(["send_server", 2000], ["read_client"]))
scenario("linger-reset", "the client has SO_LINGER 0: its close is a RST")(
    talk(["answer_server", 100, 500], ["linger_client", 100, 500]))
scenario("unread-reset", "the client closes while the answer lies unread: a RST (RFC 2525 2.17)")(
    talk(["answer_server", 100, 2000], ["unread_client"]))
scenario("data-after-close", "the client has closed when the answer comes: a RST answers it")(
    talk(["late_server", 1000, 0.2], ["leaving_client"]))
scenario("simultaneous-close", "both close within one way's time: FINs cross, CLOSING", delay=0.02)(
    talk(["appointment_server"], ["appointment_client"]))
scenario("chat", "lines and their echoes: acknowledgments ride on data")(
    talk(["echo_server"], ["chat_client", 6]))
scenario("slow-reader", "the client does not read: zero window, probes, reopening")(
    talk(["send_server", 30000], ["slow_client", 8192, 30000, 1.5]))
scenario("keep-alive", "SO_KEEPALIVE with one second: three probes, each answered")(
    talk(["echo_server"], ["keep_alive_client", 3.5]))
scenario("small-mss", "the client has TCP_MAXSEG 536: the server cuts its answer accordingly")(
    talk(["send_server", 5000], ["read_client", 536]))
scenario("no-timestamps", "the client offers no timestamps",
         sysctls={"net/ipv4/tcp_timestamps": "0"})(
    talk(["answer_server", 100, 3000], ["request_client", 100, 3000]))
scenario("no-window-scaling", "no window scaling: windows are what the field says",
         sysctls={"net/ipv4/tcp_window_scaling": "0"})(
    talk(["answer_server", 100, 3000], ["request_client", 100, 3000]))
scenario("bare", "no option but the MSS: TCP as in 1981",
         sysctls={**CLASSIC, "net/ipv4/tcp_timestamps": "0", "net/ipv4/tcp_window_scaling": "0"})(
    talk(["answer_server", 100, 3000], ["request_client", 100, 3000]))
scenario("bulk", "60 kB from the server, nothing lost: slow start")(
    talk(["send_server", 60000], ["read_client"]))

# The wire misbehaves.
REQUEST = talk(["answer_server", 100, 3000], ["request_client", 100, 3000])
BULK = talk(["send_server", 60000], ["read_client"])

scenario("syn-lost", "the first SYN is lost: again after one second", sysctls=CLASSIC,
         rules=lambda: [lose("client", lambda s: s.syn)])(REQUEST)
scenario("syn-ack-lost", "the first SYN,ACK is lost: both sides repeat", sysctls=CLASSIC,
         rules=lambda: [lose("server", lambda s: s.syn_ack)])(REQUEST)
scenario("request-lost", "the first data segment is lost twice: RTO and its back-off", sysctls=CLASSIC,
         rules=lambda: [lose("client", lambda s: s.data, 1, 2)])(REQUEST)
scenario("fin-lost", "the client's FIN is lost: sent again after the RTO", sysctls=CLASSIC,
         rules=lambda: [lose("client", lambda s: s.fin)])(REQUEST)
scenario("last-ack-lost", "the last ACK is lost: TIME-WAIT answers the FIN that comes again",
         sysctls=CLASSIC,
         rules=lambda: [LastAckLost()])(REQUEST)
scenario("fast-retransmit", "one of 42 data segments is lost: duplicate ACKs, fast retransmit, no SACK",
         sysctls=CLASSIC, rules=lambda: [lose("server", lambda s: s.data, 20)])(BULK)
scenario("two-lost", "two segments of one window are lost: a partial ACK (RFC 6582), no SACK",
         sysctls=CLASSIC, rules=lambda: [lose("server", lambda s: s.data, 20, 23)])(BULK)
scenario("sack-recovery", "the same two losses with SACK, RACK and tail loss probes, Linux's defaults",
         sysctls={"net/ipv4/tcp_early_retrans": "3"},
         rules=lambda: [lose("server", lambda s: s.data, 20, 23)])(BULK)
scenario("reordered", "one data segment comes 2 ms late: duplicate ACKs, nothing lost",
         sysctls=CLASSIC,
         rules=lambda: [hold_back("server", lambda s: s.data, 0.002, 20)])(BULK)
scenario("doubled", "one data segment comes twice: the second is answered and thrown away",
         sysctls=CLASSIC, rules=lambda: [double("server", lambda s: s.data, 20)])(BULK)


class LastAckLost:
    """Loses the client's first ACK after the server's FIN; see wire.Rule."""

    def __init__(self):
        self.rule = lose("client", lambda seen: seen.pure_ack)
        self.copies, self.extra_delay = 0, 0.0
        self.server_fin = False

    def applies(self, seen):
        self.server_fin |= seen.sender == "server" and seen.fin
        return self.server_fin and self.rule.applies(seen)


@scenario("keep-alive-dead", "the peer vanishes: three probes without an answer, then a RST")
def keep_alive_dead(lab):
    lab.server.peer("echo_server")
    lab.server.wait_for_port(PORT)
    client = lab.client.peer("keep_alive_client", 10)
    time.sleep(0.6)
    lab.wire.cut = True
    client.wait(timeout=10)


@scenario("simultaneous-open", "both connect at the same time: SYNs cross (RFC 9293 figure 7)",
          delay=0.02)
def simultaneous_open(lab):
    deadline = time.monotonic() + 1.0
    server = lab.server.peer("open_at", SERVER, 5001, CLIENT, 5000, deadline)
    lab.wait(lab.client.peer("open_at", CLIENT, 5000, SERVER, 5001, deadline), server)


# Not TCP.

@scenario("ping", "echo requests of 56, 1000 and 3000 bytes; the last in fragments")
def ping(lab):
    for size, count in ((56, 2), (1000, 1), (3000, 1)):
        lab.wait(lab.client.start("ping", "-n", "-c", str(count), "-i", "0.2", "-W", "2", "-s",
                                  str(size), SERVER))


@scenario("udp-echo", "datagrams of 1, 500 and 2000 bytes and their echoes; the last in fragments")
def udp_echo(lab):
    lab.server.peer("udp_echo_server")
    lab.server.wait_for_port(PORT, "udp", "07")
    lab.wait(lab.client.peer("udp_client", 3, 1, 500, 2000))


@scenario("udp-unreachable", "datagrams to a port without a socket: ICMP port unreachable")
def udp_unreachable(lab):
    lab.wait(lab.client.peer("udp_client", 2, 20, 900))


@scenario("arp", "the addresses are not known yet: ARP, then ping", arp=True)
def arp(lab):
    lab.wait(lab.client.start("ping", "-n", "-c", "1", "-W", "2", SERVER))
