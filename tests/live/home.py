"""A home behind `tapestry router`, of real Linux hosts in namespaces that die with the test:

    laptop 192.168.3.10 -- bridge -- TAP --------- lan  \\
                             +------ TAP "us"            router -- wan 203.0.113.5 -- TAP -- 203.0.113.1 server
    tablet 192.168.4.10 -- veth -- packet socket - lan2 /                                 198.51.100.1

The router holds descriptors only; the kernel's ends of its TAPs are moved into the namespaces of the hosts.
"us" is there for our own stack, at 192.168.3.20.
"""

import os
import shutil
import subprocess
import tempfile
import time

import live

# Whatever becomes of the test: what it has started ends with it.
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]

FILE = """
control = "%(folder)s/control"
%(top)s
rules = [
  "-t nat -A POSTROUTING -o wan -j MASQUERADE",
  "-t nat -A PREROUTING -d 203.0.113.5 -p tcp --dport 8080 -j DNAT --to-destination 192.168.3.10:80",
  "-t nat -A PREROUTING -d 203.0.113.5 -p tcp --dport 8081 -j DNAT --to-destination 192.168.3.10:81",
  "-t nat -A PREROUTING -d 203.0.113.5 -p tcp --dport 8082 -j DNAT --to-destination 192.168.3.10:82",
  "-P FORWARD DROP",
  "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
  "-A FORWARD -i lan+ -o wan -j ACCEPT",
  "-A FORWARD -d 192.168.3.10 -p tcp --dport 80 -j ACCEPT",
  "-A FORWARD -p tcp --dport 81 -j REJECT --reject-with tcp-reset",
]
[[interface]]
name = "lan"
device = "tap:rlan"
address = "192.168.3.1/24"
[[interface]]
name = "lan2"
device = "packet:%(veth)s"
address = "192.168.4.1/24"
mac = "02:00:00:00:04:01"
[[interface]]
name = "wan"
device = "tap:rwan"
address = "203.0.113.5/24"
mtu = %(mtu)d
[[route]]
to = "0.0.0.0/0"
via = "203.0.113.1"
[nat]
icmp = "1s"
"""

NGINX = """
daemon off;
master_process off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log;
events {}
http {
    access_log %(folder)s/access.log;
    sendfile on;
    client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2;
    fastcgi_temp_path %(folder)s/t3; uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
    server { listen %(ports)s; root %(folder)s/www; }
}
"""


class Host:
    """A network namespace, kept by a process that sleeps in it."""

    def __init__(self, folder, name):
        self.folder = os.path.join(folder, name)
        os.makedirs(os.path.join(self.folder, "www"))
        self.processes = []
        self.keeper = subprocess.Popen([*DIE_WITH_US, "unshare", "--net", "sleep", "900"])
        ours = os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 10
        while os.readlink("/proc/%d/ns/net" % self.keeper.pid) == ours:
            if time.monotonic() > end:
                raise AssertionError("no namespace for " + name)
            time.sleep(0.01)
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
        self.run("ip", "link", "set", "lo", "up")

    def enter(self, *command):
        return [*DIE_WITH_US, "nsenter", "--net=/proc/%d/ns/net" % self.keeper.pid, *command]

    def run(self, *command, seconds=60):
        return live.run(*self.enter(*command), seconds=seconds)

    def try_to(self, *command, seconds=60, **options):
        return subprocess.run(self.enter(*command), capture_output=True, text=True, timeout=seconds,
                              check=False, **options)

    def start(self, *command, **options):
        process = subprocess.Popen(self.enter(*command), **options)
        self.processes.append(process)
        return process

    def path(self, name):
        return os.path.join(self.folder, name)

    def take(self, device, *addresses, mtu=1500):
        live.run("ip", "link", "set", device, "netns", str(self.keeper.pid))
        for address in addresses:
            self.run("ip", "address", "add", address, "dev", device)
        self.run("ip", "link", "set", device, "mtu", str(mtu), "up")

    def serve(self, ports="80"):
        os.chmod(self.folder, 0o755)
        with open(self.path("nginx.conf"), "w") as file:
            file.write(NGINX % {"folder": self.folder, "ports": ports})
        with open(self.path("www/index.html"), "w") as file:
            file.write("hello from %s\n" % os.path.basename(self.folder))
        self.start("nginx", "-p", self.folder, "-e", self.path("error.log"), "-c",
                   self.path("nginx.conf"))
        self.wait_for_port(int(ports))

    def wait_for_port(self, port, seconds=10):
        end = time.monotonic() + seconds
        while ":%04X 00000000:0000 0A" % port not in self.run("cat", "/proc/net/tcp"):
            if time.monotonic() > end:
                raise AssertionError("nobody listens on port %d" % port)
            time.sleep(0.02)

    def visitors(self, count=0, seconds=5):
        """The addresses in the log of its web server, once there are so many: a line is written after
        the answer."""
        end = time.monotonic() + seconds
        while True:
            with open(self.path("access.log")) as file:
                lines = file.read().splitlines()
            if len(lines) >= count:
                return [line.split()[0] for line in lines]
            if time.monotonic() > end:
                raise AssertionError("%d visitors only" % len(lines))
            time.sleep(0.02)

    def end(self):
        for process in [*self.processes, self.keeper]:
            process.kill()
            process.wait()


class Home:
    """Use it with `with`, in a script that was started with live.in_namespace()."""

    count = 0

    def __init__(self, mtu=1500, pcap=False):
        self.folder = tempfile.mkdtemp(prefix="tapestry-home-")
        os.chmod(self.folder, 0o755)
        self.file = os.path.join(self.folder, "home.toml")
        self.control = os.path.join(self.folder, "control")
        self.captures = os.path.join(self.folder, "captures")
        top = 'pcap = "%s"' % self.captures if pcap else ""
        Home.count += 1
        self.veth = "rveth%d" % Home.count
        with open(self.file, "w") as file:
            file.write(FILE % {"folder": self.folder, "mtu": mtu, "top": top, "veth": self.veth})
        self.hosts = []

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def set_up(self):
        self.laptop, self.tablet, self.server = (self.add(n) for n in ("laptop", "tablet", "server"))
        live.run("ip", "link", "add", self.veth, "type", "veth", "peer", "name", "eth0")
        live.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        live.run("ip", "link", "set", self.veth, "up")
        self.tablet.take("eth0", "192.168.4.10/24")
        self.tablet.run("ip", "route", "add", "default", "via", "192.168.4.1")
        self.start_router()
        self.connect()

    def connect(self):
        """The kernel's ends of the router's TAPs to where they belong."""
        self.laptop.run("ip", "link", "add", "br0", "type", "bridge")
        self.laptop.run("ip", "tuntap", "add", "dev", "us", "mode", "tap", "vnet_hdr")
        self.laptop.take("rlan")
        for port in ("rlan", "us"):
            self.laptop.run("ip", "link", "set", port, "master", "br0", "up")
        self.laptop.run("ip", "address", "add", "192.168.3.10/24", "dev", "br0")
        self.laptop.run("ip", "link", "set", "br0", "up")
        self.laptop.run("ip", "route", "add", "default", "via", "192.168.3.1")
        self.server.run("ip", "address", "add", "198.51.100.1/32", "dev", "lo")
        # A host that does not know of a narrower link has to be told by the router.
        self.server.take("rwan", "203.0.113.1/24")

    def add(self, name):
        self.hosts.append(Host(self.folder, name))
        return self.hosts[-1]

    def start_router(self):
        self.router = subprocess.Popen([*DIE_WITH_US, live.PROGRAM, "router", self.file],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 10
        while live.tapestry("nat", self.file).returncode != 0:
            if self.router.poll() is not None or time.monotonic() > end:
                raise AssertionError("the router does not run: %s" % (self.router.communicate(),))
            time.sleep(0.05)

    def stop_router(self):
        """What it has said, on stdout and on stderr."""
        self.router.terminate()
        said = self.router.communicate(timeout=20)
        assert self.router.returncode == 0, (self.router.returncode, said)
        return said

    def nat(self, *options):
        return live.tapestry("nat", self.file, *options, ok=0).stdout.decode()

    def __exit__(self, *_):
        if getattr(self, "router", None) and self.router.poll() is None:
            self.router.kill()
            self.router.wait()
        for host in self.hosts:
            host.end()
        subprocess.run(["ip", "link", "delete", self.veth], stderr=live.NOWHERE, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
