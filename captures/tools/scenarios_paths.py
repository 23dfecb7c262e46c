"""What lies between: routers that translate, fragment and count down, links of other kinds, ARP."""

import time

from lab import CLIENT, SERVER
from peers import PORT
from registry import curl, nginx, scenario, talk
from shapes import Cable, Cooked, Recorded, Routed, Trunk, Tunnel
from wire import lose

MASQUERADE = ("table ip nat { chain after { type nat hook postrouting priority srcnat; "
              "oifname eth1 masquerade; }; }")
FORWARD = ("table ip nat { chain before { type nat hook prerouting priority dstnat; "
           "iifname eth0 tcp dport 8080 dnat to 198.51.100.80:80; }; }")
FETCH = talk(["answer_server", 100, 20000], ["request_client", 100, 20000])
UPLOAD = talk(["answer_server", 20000, 100], ["request_client", 20000, 100])


@scenario("nat", "a router masquerades: the same conversation inside (client) and outside (server)",
          shape=Routed, nat=MASQUERADE)
def nat(lab):
    nginx(lab)
    curl(lab, f"http://{lab.server_address}/")
    lab.wait(lab.client.start("ping", "-n", "-c", "1", "-W", "2", lab.server_address))


@scenario("nat-port-forward", "a router's port 8080 is port 80 of the server behind it",
          shape=Routed, nat=FORWARD)
def nat_port_forward(lab):
    nginx(lab)
    curl(lab, f"http://{SERVER}:8080/")


scenario("path-mtu", "behind the router 1400 bytes are the most: ICMP says it, the sender cuts anew",
         shape=Routed, mtu=1400)(UPLOAD)
scenario("fragmented", "the same without \"don't fragment\": the router cuts every full segment",
         shape=Routed, mtu=1400, sysctls={"net/ipv4/ip_no_pmtu_disc": "1"})(UPLOAD)


@scenario("fragment-lost", "one of three fragments is lost: nothing arrives, ICMP says so after 1 s",
          sysctls={"net/ipv4/ipfrag_time": "1"},
          rules=lambda: [lose("client", lambda s: s.fragment, 2)])
def fragment_lost(lab):
    lab.server.peer("udp_echo_server")
    lab.server.wait_for_port(PORT, "udp", "07")
    lab.wait(lab.client.peer("datagram_client", 4000))


@scenario("ttl-exceeded", "pings with a TTL of 1 and of 2 through a router", shape=Routed)
def ttl_exceeded(lab):
    for ttl in ("1", "2"):
        lab.client.start("ping", "-n", "-c", "1", "-W", "1", "-t", ttl, lab.server_address).wait(timeout=5)


@scenario("arp-announce", "arping: is an address free, is one taken; an announcement; then a ping",
          arp=True)
def arp_announce(lab):
    def arping(*words):
        lab.client.start("arping", "-I", "eth0", *words).wait(timeout=5)
    arping("-D", "-c", "1", "-w", "1", "192.168.3.99")
    arping("-D", "-c", "1", "-w", "1", SERVER)
    arping("-A", "-c", "1", CLIENT)
    arping("-U", "-c", "1", CLIENT)
    time.sleep(0.1)
    lab.wait(lab.client.start("ping", "-n", "-c", "1", "-W", "2", SERVER))


scenario("offloaded", "offloads on: super-frames above the MTU, checksums that are not finished",
         shape=Cable)(talk(["send_server", 80000], ["read_client"]))
scenario("vlan", "a GET-like exchange on a trunk: every frame has the tag of VLAN 7 (802.1Q)",
         shape=Trunk)(talk(["answer_server", 100, 3000], ["request_client", 100, 3000]))
scenario("cooked", "recorded on \"any\" interface: Linux cooked captures, v1 (client) and v2 (server)",
         shape=Cooked)(talk(["answer_server", 100, 3000], ["request_client", 100, 3000]))
scenario("raw-ip", "recorded on a tun device: packets without a link header", shape=Tunnel)(FETCH)
# What a recorder leaves out: nothing of it was lost on the wire.
scenario("recorder-misses", "the recorder leaves each fourth full segment out: ACKs of unseen segments",
         shape=Recorded, words=["not", "(ip[2:2] > 1400 and ip[4:2] & 3 = 3)"])(FETCH)
scenario("no-handshake", "the recorder leaves the SYNs out: a conversation from its middle",
         shape=Recorded, words=["tcp[tcpflags] & tcp-syn = 0"])(FETCH)
scenario("snapped", "the recorder keeps 96 bytes of each frame", shape=Recorded,
         words=["-s", "96"])(FETCH)
