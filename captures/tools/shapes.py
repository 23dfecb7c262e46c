"""Other shapes of networks than two hosts and a wire: see lab.Lab."""

import os
import select
import subprocess
import time

from lab import CLIENT, MAC, SERVER, SYSCTLS, Lab, die_with_parent, run

OUTSIDE, WEB = "198.51.100.1", "198.51.100.80"  # the router's other side and the server behind it
OUTSIDE_MAC, WEB_MAC = "02:00:00:00:64:01", "02:00:00:00:64:80"
FORWARDING = {"net/ipv4/ip_forward": "1", "net/ipv4/conf/all/send_redirects": "0"}


class Routed(Lab):
    """client == wire == router -- server: the router's inside is 192.168.3.1, the server is outside."""

    server_address = WEB

    def __init__(self, prefix, mtu=None, nat=None, **options):
        super().__init__(prefix, **options)
        self.mtu, self.nat = mtu, nat

    def build(self):
        self.router = self.host("router")
        self.plug("client", self.client)
        self.plug("server", self.router)
        run(*self.server.command("ip", "link", "add", "name", "eth0", "type", "veth", "peer", "name",
                                 "eth1", "netns", str(self.router.holder.pid)))
        self.client.up("eth0", MAC["client"], f"{CLIENT}/24")
        self.router.up("eth0", MAC["server"], f"{SERVER}/24")
        self.router.up("eth1", OUTSIDE_MAC, f"{OUTSIDE}/24")
        self.server.up("eth0", WEB_MAC, f"{WEB}/24")
        self.router.set_sysctls(FORWARDING)
        self.client.knows(SERVER, MAC["server"])
        self.router.knows(CLIENT, MAC["client"])
        self.router.knows(WEB, WEB_MAC, "eth1")
        self.server.knows(OUTSIDE, OUTSIDE_MAC)
        self.client.run("ip", "route", "add", "default", "via", SERVER)
        if self.mtu:
            self.router.run("ip", "route", "replace", "198.51.100.0/24", "dev", "eth1", "mtu", "lock",
                            str(self.mtu))
        self.server.run("ip", "route", "add", "default", "via", OUTSIDE)
        if self.nat:
            self.router.run("nft", self.nat)
        self.start_wire()


class Cable(Lab):
    """client -- server without a program between: offloads stay on, as on a machine at work."""

    def build(self):
        run(*self.client.command("ip", "link", "add", "name", "eth0", "type", "veth", "peer", "name",
                                 "eth0", "netns", str(self.server.holder.pid)))
        self.client.up("eth0", MAC["client"], f"{CLIENT}/24")
        self.server.up("eth0", MAC["server"], f"{SERVER}/24")
        for host, address, mac in ((self.client, SERVER, "server"), (self.server, CLIENT, "client")):
            host.offloads("eth0", "on")
            host.knows(address, MAC[mac])


class Cooked(Lab):
    """Recorded on "any" interface: Linux cooked captures, version 1 and version 2."""

    def taps(self):
        return [("client", self.client.command, "any", "-y", "LINUX_SLL", "host", SERVER),
                ("server", self.server.command, "any", "-y", "LINUX_SLL2", "host", SERVER)]


class Recorded(Lab):
    """Two hosts and a wire, recorded with more words for tcpdump: a filter or a snapshot length."""

    def __init__(self, prefix, words, **options):
        super().__init__(prefix, **options)
        self.words = words

    def taps(self):
        return [(*tap, *self.words) for tap in super().taps()]


class Trunk(Lab):
    """The wire is a trunk of VLAN 7; a third recorder sits on it. In the hosts there are no tags."""

    def build(self):
        run("ip", "link", "add", "name", "trunk", "type", "veth", "peer", "name", "mirror")
        self.links.append("trunk")
        for end in ("trunk", "mirror"):
            with open(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6", "w", encoding="ascii") as off:
                off.write("1")
            run("ip", "link", "set", "dev", end, "up")
        super().build()

    def start_wire(self, **options):
        super().start_wire(trunk=("trunk", 7), **options)

    def taps(self):
        return [("trunk", lambda *command: command, "mirror")]


class Slirp(Lab):
    """guest -- slirp4netns in the client == wire == server. `client` in the files is the guest: what it
    sees is libslirp's TCP, what the server sees is the client's Linux."""

    def build(self):
        super().build()
        self.guest = self.host("guest")
        self.guest.set_sysctls(SYSCTLS)
        ready, done = os.pipe()
        guest_netns = f"/proc/{self.guest.holder.pid}/ns/net"
        self.slirp = subprocess.Popen(
            self.client.command("slirp4netns", "--configure", "--disable-dns", "--netns-type=path",
                                f"--ready-fd={done}", guest_netns, "eth0"),
            pass_fds=[done], preexec_fn=die_with_parent, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.guest.running.append(self.slirp)
        os.close(done)
        if not select.select([ready], [], [], 10)[0] or os.read(ready, 1) != b"1":
            raise RuntimeError("slirp4netns did not start")
        os.close(ready)
        self.guest.offloads("eth0", "off")

    def taps(self):
        return [("client", self.guest.command, "eth0"), ("server", self.server.command, "eth0")]


class Tunnel(Lab):
    """A tun device in each host, 10.8.0.2 and 10.8.0.1; peers.py carries the packets in UDP."""

    server_address = "10.8.0.1"

    def build(self):
        super().build()
        for host, inside in ((self.server, "10.8.0.1"), (self.client, "10.8.0.2")):
            host.run("ip", "tuntap", "add", "dev", "tun0", "mode", "tun")
            host.up("tun0", None, f"{inside}/24")
            host.run("ip", "link", "set", "dev", "tun0", "mtu", "1400")
            host.peer("tunnel", host.name)
            host.wait_for_port(5555, "udp", "07")
        time.sleep(0.1)

    def taps(self):
        return [(name, self.hosts[name].command, "tun0") for name in ("client", "server")]
