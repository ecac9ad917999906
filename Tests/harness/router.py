"""A home behind a router: three networks, and Debian's miniupnpd on the one in the middle."""
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess

from . import files
from .case import Case, environment
from .namespace import Network, ip, is_running
from .process import until

#: The home, its router as seen from either side, and another machine outside. Nothing of this leaves the namespaces; the
#: outside has addresses that look public because those of documentation are reserved, and no peer is believed to have one.
HOME, SECOND_HOME, INSIDE, WAN, OUTSIDE = "192.168.7.2", "192.168.7.3", "192.168.7.1", "5.0.0.1", "5.0.0.9"
NAT_PMP_PORT, SSDP_PORT = 5351, 1900

_RULES = """
table inet router {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "lan" accept
        jump mapped_forward
    }
    chain prerouting {
        type nat hook prerouting priority -100;
        jump mapped_prerouting
    }
    chain postrouting {
        type nat hook postrouting priority 100;
        jump mapped_postrouting
        oifname "wan" masquerade
    }
    chain mapped_forward { }
    chain mapped_prerouting { }
    chain mapped_postrouting { }
}
"""

_CONFIGURATION = """
ext_ifname=wan
listening_ip=lan
http_port=0
secure_mode=yes
uuid=5b0c3a2e-8a57-4d1b-9d0e-0242ac120007
upnp_table_name=router
upnp_nat_table_name=router
upnp_forward_chain=mapped_forward
upnp_nat_chain=mapped_prerouting
upnp_nat_postrouting_chain=mapped_postrouting
allow 1024-65535 192.168.7.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


class Street:
    """A home and its gateway, with a cable between them, and nothing yet that would answer at the gateway."""

    def __init__(self, case):
        self.case = case
        self.home, self.gateway = self.network(), self.network()
        self.gateway.link("lan", [f"{INSIDE}/24", "192.168.7.9/24"], self.home, "eth0", [f"{HOME}/24", f"{SECOND_HOME}/24"])
        with self.home.entered():
            ip("route", "add", "default", "via", INSIDE)
            until(lambda: is_running("eth0"), 5, "the cable to be there")

    def network(self):
        network = Network()
        self.case.addCleanup(network.close)
        return network

    def ask_nat_pmp(self, question, source=HOME, seconds=2):
        """What the gateway answers one NAT-PMP datagram from the home; None for nothing."""
        with self.home.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            s.settimeout(seconds)
            try:
                s.connect((INSIDE, NAT_PMP_PORT))
                s.send(question)
                return s.recv(64)
            except OSError:
                return None

    def map_by_nat_pmp(self, transport, inner, outer, seconds, source=HOME):
        """Has a port mapped as another program of the home would; returns the external port."""
        answer = self.ask_nat_pmp(struct.pack(">BBHHHI", 0, 1 if transport == "UDP" else 2, 0, inner, outer, seconds), source)
        self.case.assertIsNotNone(answer, "no answer by NAT-PMP")
        _, _, code, _, _, external, _ = struct.unpack(">BBHIHHI", answer)
        self.case.assertEqual(code, 0)
        return external

    def watch(self):
        """Notes what the home asks of its gateway from now on."""
        return self.case.speaker(Watch, self.gateway)


class Watch:
    """Packets from the home that ask a gateway something, by the port of NAT-PMP or SSDP, or TCP to the gateway itself."""

    def __init__(self, network):
        with network.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.socket.bind(("lan", 0x0800))
        self.socket.settimeout(0)
        self._seen = []

    def asked(self):
        """Their protocols and ports so far, in order."""
        while True:
            try:
                packet, (_, _, direction, *_) = self.socket.recvfrom(2048)
            except BlockingIOError:
                return self._seen
            start = (packet[0] & 15) * 4
            protocol, target = packet[9], socket.inet_ntoa(packet[16:20])
            port, = struct.unpack(">H", packet[start + 2:start + 4])
            if direction == socket.PACKET_OUTGOING:
                continue
            if protocol == socket.IPPROTO_UDP and port in (NAT_PMP_PORT, SSDP_PORT):
                self._seen.append(("UDP", port))
            if protocol == socket.IPPROTO_TCP and target == INSIDE:
                self._seen.append(("TCP", port))

    def close(self):
        self.socket.close()


class Router(Street):
    """A gateway that translates addresses, and miniupnpd on it."""

    def __init__(self, case, nat_pmp=True, upnp=True, taken=()):
        """`taken`: TCP and UDP ports that lead to a port of the home's second address already, where nobody listens."""
        super().__init__(case)
        for program, package in (("miniupnpd", "miniupnpd-nftables"), ("nft", "nftables")):
            if not shutil.which(program, path=_PATH):
                case.fail(f"{program} is missing: scripts/setup installs it (apt-get install {package})")
        self.nat_pmp, self.upnp = nat_pmp, upnp
        self.folder = case.new_folder(f"router-{len(case.processes)}")
        self.leases = os.path.join(self.folder, "leases")
        files.write(self.leases, "".join(
            f"{kind}:{port}:{SECOND_HOME}:7000:0:game\n" for port in taken for kind in ("TCP", "UDP")).encode())
        self.outside = self.network()
        self.gateway.link("wan", [f"{WAN}/24"], self.outside, "eth0", [f"{OUTSIDE}/24"])
        files.write(os.path.join(self.folder, "rules"), _RULES.encode())
        with self.gateway.entered():
            # Of the network of the thread that writes; a path below /proc/sys is the reader's own.
            files.write("/proc/sys/net/ipv4/ip_forward", b"1")
            self._nft("-f", os.path.join(self.folder, "rules"))
        self.start()

    def start(self):
        """Returns when miniupnpd answers by what it is to speak."""
        words = [*_CONFIGURATION.split("\n"), f"lease_file={self.leases}", f"enable_natpmp={_word(self.nat_pmp)}",
                 f"enable_upnp={_word(self.upnp)}"]
        path = files.write(os.path.join(self.folder, "configuration"), "\n".join(words).encode() + b"\n")
        # A file in which a miniupnpd that was killed left its number keeps the next one from starting.
        number = os.path.join(self.folder, "pid")
        with contextlib.suppress(FileNotFoundError):
            os.remove(number)
        env = {**environment(self.folder), "PATH": _PATH}
        with self.gateway.entered():
            self.daemon = self.case.start("miniupnpd", ["miniupnpd", "-d", "-f", path, "-P", number], env=env)
        if self.nat_pmp:
            until(lambda: self.ask_nat_pmp(b"\0\0", seconds=0.2), 10, "miniupnpd to answer by NAT-PMP", self.daemon.log)
        if self.upnp:
            until(self._answers_search, 10, "miniupnpd to answer a search", self.daemon.log)

    def restart(self):
        """As after a power cut: nothing that was mapped is known any more."""
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()
        with self.gateway.entered():
            for chain in ("mapped_forward", "mapped_prerouting", "mapped_postrouting"):
                self._nft("flush", "chain", "inet", "router", chain)
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.leases)
        self.start()

    def mappings(self):
        """What is handed through, as (transport, external port, host, port)."""
        if not os.path.exists(self.leases):
            return []
        lines = [line.split(":") for line in files.read(self.leases).decode().splitlines()]
        return sorted((transport, int(outer), host, int(inner)) for transport, outer, host, inner, *_ in lines)

    def is_reached(self, port, seconds=2):
        """Whether somebody outside gets through to a TCP port of the router."""
        with self.outside.entered(), contextlib.suppress(OSError):
            socket.create_connection((WAN, port), seconds).close()
            return True
        return False

    def _answers_search(self):
        search = (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"
                  b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n")
        with self.home.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.sendto(search, ("239.255.255.250", SSDP_PORT))
            with contextlib.suppress(TimeoutError):
                return s.recv(2048)
        return None

    @staticmethod
    def _nft(*words):
        done = subprocess.run(["nft", *words], capture_output=True, text=True, env={"PATH": _PATH})
        if done.returncode != 0:
            raise OSError(f"nft {' '.join(words)}: {done.stderr}")


#: Debian has both programs in sbin, which not every user searches.
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _word(flag):
    return "yes" if flag else "no"
