"""Two hosts in network namespaces of their own, a wire between them, tcpdump at both ends."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time

from wire import Wire, write_truth

CLIENT, SERVER = "192.168.3.10", "192.168.3.1"
ADDRESS = {"client": CLIENT, "server": SERVER}
MAC = {"client": "02:00:00:00:03:10", "server": "02:00:00:00:03:01"}
PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")
MARK = "TAPESTRY_CAPTURES_INSIDE"
# What makes the frames that tcpdump sees those that a wire would carry.
OFFLOADS = ["tso", "gso", "gro", "tx", "rx", "sg"]
# One well-known congestion control and the usual buffers, whatever the machine's own are; no tail loss
# probes, which would repeat segments whenever the machine has something else to do for 20 ms.
SYSCTLS = {"net/ipv4/tcp_congestion_control": "reno", "net/ipv4/tcp_early_retrans": "0",
           "net/ipv4/tcp_rmem": "4096 131072 6291456", "net/ipv4/tcp_no_metrics_save": "1",
           "net/ipv6/conf/all/disable_ipv6": "1", "net/ipv6/conf/default/disable_ipv6": "1"}


def enter_private_namespace(script, arguments):
    """Starts the program again in a network namespace of its own, which will hold the wire."""
    if MARK not in os.environ:
        os.environ[MARK] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, script, *arguments])


def die_with_parent():
    """A child that outlives its parent would keep a namespace alive."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def run(*command, **options):
    subprocess.run(command, check=True, timeout=20, **options)


class Host:
    """A network namespace, held by a process that does nothing."""

    def __init__(self, name, server_address=SERVER):
        self.name, self.server_address = name, server_address
        self.running = []
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo here; exec sleep 300"],
                                       stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self.holder.stdout.readline()

    def command(self, *command):
        return ["nsenter", "--net", "--target", str(self.holder.pid), *command]

    def run(self, *command, **options):
        run(*self.command(*command), **options)

    def quiet(self, *command):
        self.run(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def set_sysctls(self, settings):
        for name, value in settings.items():
            self.run("sh", "-c", f"if [ -e /proc/sys/{name} ]; then echo \"{value}\" >/proc/sys/{name}; fi")

    def up(self, interface, mac=None, address=None):
        """An interface as a wire would have it; without an address nobody of this host's kernel answers."""
        self.set_sysctls(SYSCTLS)
        ip = ["ip", "link", "set", "dev", interface]
        if mac:
            self.run(*ip, "address", mac)
        self.offloads(interface, "off")
        self.run(*ip, "up")
        self.run("ip", "link", "set", "lo", "up")
        if address:
            self.run("ip", "address", "add", address, "dev", interface)

    def offloads(self, interface, on_or_off):
        self.quiet("ethtool", "-K", interface, *(w for name in OFFLOADS for w in (name, on_or_off)))

    def knows(self, address, mac, interface="eth0"):
        self.run("ip", "neighbour", "replace", address, "lladdr", mac, "nud", "permanent", "dev",
                 interface)

    def start(self, *command, stdin=subprocess.DEVNULL):
        """Starts a program here; it is ended with the lab."""
        quiet = None if "TAPESTRY_CAPTURES_LOUD" in os.environ else subprocess.DEVNULL
        self.running.append(subprocess.Popen(self.command(*command), stdin=stdin, stdout=quiet,
                                             stderr=quiet, preexec_fn=die_with_parent))
        return self.running[-1]

    def peer(self, program, *arguments):
        """Starts a program of peers.py."""
        return self.start("env", f"SERVER={self.server_address}", sys.executable, "-B", PEERS, program,
                          *map(str, arguments))

    def wait_for_port(self, port, table="tcp", state="0A"):
        """Until somebody listens (UDP: state 07)."""
        deadline = time.monotonic() + 10
        wanted = f":{port:04X} "
        while time.monotonic() < deadline:
            with open(f"/proc/{self.holder.pid}/net/{table}", encoding="ascii") as sockets:
                for line in sockets:
                    fields = line.split()
                    if wanted in fields[1] + " " and fields[3] == state:
                        return
            time.sleep(0.02)
        raise TimeoutError(f"nobody listens on port {port} of the {self.name}")

    def stop(self):
        for process in self.running + [self.holder]:
            process.kill()
            process.wait()
        self.holder.stdout.close()


class Lab:
    """The hosts, the wire and the recording; used as a context. Other shapes of networks (shapes.py) are
    subclasses with another build() and other taps()."""

    server_address = SERVER

    def __init__(self, prefix, rules=list, delay=0.005, arp=False, sysctls=None, bare=()):
        self.prefix = prefix
        self.rules, self.delay, self.arp, self.sysctls = rules, delay, arp, sysctls or {}
        self.bare = bare  # hosts whose kernel has no address: another TCP will live there
        self.folder = tempfile.TemporaryDirectory(prefix="tapestry-captures-")
        self.hosts, self.links, self.wire, self.files = {}, [], None, []

    def __enter__(self):
        self.client, self.server = self.host("client"), self.host("server")
        self.build()
        for host in (self.client, self.server):
            host.set_sysctls(self.sysctls)
        self.dumps = [self.record(*tap) for tap in self.taps()]
        return self

    def host(self, name):
        self.hosts[name] = Host(name, self.server_address)
        return self.hosts[name]

    def build(self):
        self.plug("client", self.client)
        self.plug("server", self.server)
        for name, other in (("client", "server"), ("server", "client")):
            host = self.hosts[name]
            host.up("eth0", MAC[name], None if name in self.bare else f"{ADDRESS[name]}/24")
            if not self.arp:
                host.knows(ADDRESS[other], MAC[other])
        self.start_wire()

    def plug(self, end, host):
        """One end of the wire into the host's eth0."""
        run("ip", "link", "add", "name", end, "type", "veth", "peer", "name", "eth0", "netns",
            str(host.holder.pid))
        self.links.append(end)
        with open(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6", "w", encoding="ascii") as off:
            off.write("1")
        run("ip", "link", "set", "dev", end, "up")

    def start_wire(self, **options):
        self.wire = Wire({"client": "client", "server": "server"}, self.delay, self.rules(), **options)
        self.wire.start()

    def taps(self):
        """Who records what: (the host's name in the file, command to run there, interface, more)."""
        return [(name, self.hosts[name].command, "eth0") for name in ("client", "server")]

    def record(self, name, command, interface, *more):
        path = f"{self.prefix}.{name}.pcap"
        self.files.append(path)
        dump = subprocess.Popen(
            command("tcpdump", "-i", interface, "-p", "-n", "-s", "0", "-j", "host", "-Z", "root",
                    "-B", "16384", "--immediate-mode", "-U", "--time-stamp-precision=nano", "-w", path, *more),
            stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        for line in dump.stderr:
            if b"listening on" in line:
                return dump
        raise RuntimeError("tcpdump did not start")

    def __exit__(self, failure, *_):
        time.sleep(0.3)  # the last frames
        for dump in self.dumps:
            dump.send_signal(signal.SIGINT)
            said = dump.communicate(timeout=10)[1].decode()
            if not failure and "0 packets dropped by kernel" not in said.splitlines():
                raise RuntimeError(f"tcpdump has missed frames: {said}")
        if self.wire:
            self.wire.stop()
            self.files.append(f"{self.prefix}.truth.tsv")
            write_truth(self.files[-1], self.wire.truth)
        for host in self.hosts.values():
            host.stop()
        for link in self.links:
            subprocess.run(["ip", "link", "delete", link], check=False, stderr=subprocess.DEVNULL)
        self.folder.cleanup()
        if "SUDO_UID" in os.environ:
            for path in self.files:
                os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))

    def wait(self, *programs):
        """Until they have ended; a program that does not is a failure."""
        for program in programs:
            if program.wait(timeout=25) != 0:
                raise RuntimeError(f"{program.args[4:]} ended with {program.returncode}")
