"""Corners of TCP between two Linux hosts: resets, ports, windows, small writes, ECN, a bad wire."""

import time

from lab import CLIENT, MAC, SERVER
from peers import PORT
from registry import scenario, talk
from wire import corrupt, double, hold_back, lose, mark

PROBES = {"net/ipv4/tcp_early_retrans": "3"}
BULK = talk(["send_server", 60000], ["read_client"])

scenario("reset-in-transfer", "the reader resets while 60 kB are on their way")(
    talk(["send_and_wait_server_quietly", 60000], ["reset_reader_client", 15000]))
scenario("port-reuse", "the same port pair three times: a SYN to TIME-WAIT opens anew (RFC 6191)")(
    talk(["send_server_again", 500, 3], ["same_port_client", 40000, 3]))
scenario("old-syn", "the first SYN comes late, into the connection that the second has opened",
         rules=lambda: [hold_back("client", lambda s: s.syn, 1.2)])(
    talk(["echo_server"], ["chat_client", 6]))
scenario("tail-loss", "the last two segments are lost: a tail loss probe (RFC 8985), no timeout",
         sysctls=PROBES, rules=lambda: [lose("server", lambda s: s.data, 13, 14)])(
    talk(["answer_server", 100, 20000], ["request_client", 100, 20000]))
scenario("duplicate-sack", "an answer 0.3 s late comes again by RTO: a D-SACK tells it (RFC 2883)",
         rules=lambda: [hold_back("server", lambda s: s.data, 0.3)])(
    talk(["answer_server", 100, 1000], ["request_client", 100, 1000]))
scenario("reordered-sack", "one segment 2 ms late and one lost, with SACK and RACK",
         sysctls=PROBES, rules=lambda: [hold_back("server", lambda s: s.data, 0.002, 15),
                                        lose("server", lambda s: s.data, 22)])(BULK)
scenario("corrupted", "one bit of a data segment is turned over: dropped, sent again",
         rules=lambda: [corrupt("server", lambda s: s.data, 20)])(BULK)
scenario("acks-lost", "each second ACK of the reader is lost, and nothing has to be sent again",
         rules=lambda: [lose("client", lambda s: s.pure_ack, *range(3, 60, 2))])(BULK)
scenario("silly-window", "a tiny buffer read by 100 bytes: no small window is offered (RFC 9293 3.8.6.2)")(
    talk(["send_server", 8000], ["small_reads_client", 2304, 8000, 100]))
scenario("wide-window", "the largest shift there is, 14, and 100 kB",
         sysctls={"net/ipv4/tcp_rmem": "4096 131072 1073741824"})(
    talk(["send_server", 100000], ["read_client"]))
scenario("ecn", "both negotiate ECN, a router marks one segment: ECE until CWR (RFC 3168)",
         sysctls={"net/ipv4/tcp_ecn": "1"},
         rules=lambda: [mark("server", lambda s: s.data, 20)])(BULK)
scenario("urgent", "MSG_OOB: the URG bit and a pointer behind the last urgent byte")(
    talk(["urgent_server"], ["urgent_client"]))
scenario("keep-alive-data", "probes while idle, and data after them")(
    talk(["echo_server"], ["idle_then_data_client", 2.4]))
scenario("nagle", "requests in two writes: Nagle's algorithm waits for the delayed ACK")(
    talk(["rounds_server", 240, 20], ["two_writes_client", 6, 0]))
scenario("no-delay", "the same with TCP_NODELAY: nobody waits")(
    talk(["rounds_server", 240, 20], ["two_writes_client", 6, 1]))


@scenario("half-open", "the server's host forgets everything; what comes then is answered by RST")
def half_open(lab):
    first = lab.server.peer("vanishing_server")
    lab.server.wait_for_port(PORT)
    client = lab.client.peer("surprised_client", 1.5)
    time.sleep(0.5)
    # Without an address the host cannot send the RST of the program that ends: as after a power cut.
    lab.server.run("ip", "address", "del", f"{SERVER}/24", "dev", "eth0")
    first.kill()
    first.wait()
    time.sleep(0.2)
    lab.server.run("ip", "address", "add", f"{SERVER}/24", "dev", "eth0")
    lab.server.knows(CLIENT, MAC["client"])
    second = lab.server.peer("echo_server")
    lab.server.wait_for_port(PORT)
    lab.wait(client, second)


@scenario("echo-lost", "four pings: one reply is lost, one comes twice",
          rules=lambda: [lose("server", lambda s: s.echo_reply, 2),
                         double("server", lambda s: s.echo_reply, 3)])
def echo_lost(lab):
    lab.wait(lab.client.start("ping", "-n", "-c", "4", "-i", "0.3", "-W", "1", SERVER))
