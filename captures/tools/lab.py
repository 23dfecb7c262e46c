"""Two hosts in network namespaces of their own, a wire between them, tcpdump at both ends."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time

from wire import Wire

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

    def __init__(self, name):
        self.name = name
        self.running = []
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo here; exec sleep 300"],
                                       stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self.holder.stdout.readline()

    def command(self, *command):
        return ["nsenter", "--net", "--target", str(self.holder.pid), *command]

    def run(self, *command, **options):
        run(*self.command(*command), **options)

    def set_sysctls(self, settings):
        for name, value in settings.items():
            self.run("sh", "-c", f"if [ -e /proc/sys/{name} ]; then echo \"{value}\" >/proc/sys/{name}; fi")

    def attach(self, other, arp):
        self.set_sysctls(SYSCTLS)
        ip = ["ip", "link", "set", "dev", "eth0"]
        self.run(*ip, "address", MAC[self.name])
        offloads = [word for name in OFFLOADS for word in (name, "off")]
        self.run("ethtool", "-K", "eth0", *offloads, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL)
        self.run(*ip, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{ADDRESS[self.name]}/24", "dev", "eth0")
        if not arp:
            self.run("ip", "neighbour", "replace", ADDRESS[other], "lladdr", MAC[other], "nud",
                     "permanent", "dev", "eth0")

    def start(self, *command, stdin=subprocess.DEVNULL):
        """Starts a program here; it is ended with the lab."""
        quiet = subprocess.DEVNULL
        self.running.append(subprocess.Popen(self.command(*command), stdin=stdin, stdout=quiet,
                                             stderr=quiet, preexec_fn=die_with_parent))
        return self.running[-1]

    def peer(self, program, *arguments):
        """Starts a program of peers.py."""
        return self.start(sys.executable, "-B", PEERS, program, *map(str, arguments))

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
    """The hosts, the wire and the recording; used as a context."""

    def __init__(self, prefix, rules=list, delay=0.005, arp=False, sysctls=None):
        self.prefix = prefix
        self.rules, self.delay, self.arp, self.sysctls = rules, delay, arp, sysctls or {}
        self.folder = tempfile.TemporaryDirectory(prefix="tapestry-captures-")

    def __enter__(self):
        self.client, self.server = Host("client"), Host("server")
        self.hosts = {"client": self.client, "server": self.server}
        for name, host in self.hosts.items():
            run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns",
                str(host.holder.pid))
            with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as off:
                off.write("1")
            run("ip", "link", "set", "dev", name, "up")
        for name, other in (("client", "server"), ("server", "client")):
            self.hosts[name].attach(other, self.arp)
            self.hosts[name].set_sysctls(self.sysctls)
        self.wire = Wire({"client": "client", "server": "server"}, self.delay, self.rules())
        self.wire.start()
        self.dumps = [self.record(host) for host in self.hosts.values()]
        return self

    def record(self, host):
        path = f"{self.prefix}.{host.name}.pcap"
        dump = subprocess.Popen(
            host.command("tcpdump", "-i", "eth0", "-p", "-n", "-s", "0", "-j", "host", "-Z", "root",
                         "--immediate-mode", "-U", "--time-stamp-precision=nano", "-w", path),
            stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        for line in dump.stderr:
            if b"listening on" in line:
                return dump
        raise RuntimeError("tcpdump did not start")

    def __exit__(self, *_):
        time.sleep(0.3)  # the last frames
        for dump in self.dumps:
            dump.send_signal(signal.SIGINT)
            dump.wait(timeout=10)
            dump.stderr.close()
        self.wire.stop()
        for name, host in self.hosts.items():
            host.stop()
            subprocess.run(["ip", "link", "delete", name], check=False, stderr=subprocess.DEVNULL)
        self.folder.cleanup()
        if "SUDO_UID" in os.environ:
            for name in self.hosts:
                os.chown(f"{self.prefix}.{name}.pcap", int(os.environ["SUDO_UID"]),
                         int(os.environ["SUDO_GID"]))

    def wait(self, *programs):
        """Until they have ended; a program that does not is a failure."""
        for program in programs:
            if program.wait(timeout=25) != 0:
                raise RuntimeError(f"{program.args[4:]} ended with {program.returncode}")
