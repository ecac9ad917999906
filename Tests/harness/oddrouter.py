"""Gateways that answer as miniupnpd does not: strict ones, poor ones, broken ones and hostile ones."""
import contextlib
import random
import socket
import struct
import threading
import time

from .igd import DESCRIPTION, ROOT, Device
from .router import INSIDE, NAT_PMP_PORT, SSDP_PORT, WAN, Street

#: Another address of the gateway, which stands for another machine of the home.
ELSEWHERE = "192.168.7.9"
_MULTICAST = "239.255.255.250"


class _Listener:
    """A UDP socket in the gateway, and a thread that hands what comes to `arrived`."""

    def __init__(self, street, host, port):
        with street.gateway.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((host, port))
        self.socket.settimeout(0.1)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def listen(self):
        self._thread.start()
        return self

    def _listen(self):
        while self._open:
            with contextlib.suppress(TimeoutError):
                data, sender = self.socket.recvfrom(2048)
                self.arrived(data, sender)

    def close(self):
        self._open = False
        self._thread.join(2)
        self.socket.close()


class NATPMP(_Listener):
    """RFC 6886, with one attribute for each way in which to be odd."""

    #: What every request for a mapping is answered; not 0 is an error of RFC 6886, 3.5.
    code = 0
    #: The most seconds that are granted.
    lifetime = 7200
    #: How far the external port lies from the internal one, whatever is asked for.
    shift = None
    address = WAN
    silent = False
    #: An operation that is carried out, and whose answers are lost.
    lost = None
    #: A function of the question, whose datagrams are sent before the answer.
    before = staticmethod(lambda question: [])

    def __init__(self, street, source=None, **attributes):
        super().__init__(street, INSIDE, NAT_PMP_PORT)
        self.__dict__.update(attributes)
        #: Where answers come from, if it is not where questions go to.
        self.source = None
        if source:
            with street.gateway.entered():
                self.source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.source.bind((source, NAT_PMP_PORT))
        #: Questions for a mapping as (transport, internal port, external port, seconds), and all of any kind.
        self.asked, self.datagrams = [], 0
        #: External ports by (transport, internal port).
        self.mappings = {}
        self.started = time.monotonic() - 1000
        self.listen()

    def restart(self):
        """As after a power cut: the epoch begins again, and all mappings are forgotten."""
        self.mappings, self.started = {}, time.monotonic()

    def arrived(self, data, sender):
        self.datagrams += 1
        answer = self.answer(data)
        if self.silent or data[1] == self.lost:
            return
        for datagram in [*self.before(data), *filter(None, [answer])]:
            (self.source or self.socket).sendto(datagram, sender)

    def answer(self, data):
        epoch = int(time.monotonic() - self.started)
        if data == b"\0\0":
            return struct.pack(">BBHI4s", 0, 128, 0, epoch, socket.inet_aton(self.address))
        if len(data) != 12 or data[0] != 0 or data[1] not in (1, 2):
            return None
        _, operation, _, inner, outer, seconds = struct.unpack(">BBHHHI", data)
        transport = "UDP" if operation == 1 else "TCP"
        self.asked.append((transport, inner, outer, seconds))
        granted = 0
        if self.code == 0 and seconds > 0:
            # One that is there keeps its port (RFC 6886, 3.3).
            outer = self.mappings.setdefault((transport, inner), outer if self.shift is None else inner + self.shift)
            granted = min(seconds, self.lifetime)
        elif self.code == 0:
            self.mappings.pop((transport, inner), None)
            outer = 0
        return struct.pack(">BBHIHHI", 0, 128 + operation, self.code, epoch, inner, outer, granted)

    def close(self):
        super().close()
        if self.source:
            self.source.close()


def garbage(question):
    """What a client must not take for an answer."""
    rng = random.Random(question)
    yield b""
    for size in (1, 7, 8, 11, 12, 15, 16, 500, 1400):
        yield rng.randbytes(size)
    # The head of an answer without the rest, one to another question, and one for another port.
    yield struct.pack(">BBHI", 0, 128 | question[1], 0, 1)
    yield struct.pack(">BBHIHHI", 0, 131, 0, 1, 6881, 6881, 60)
    yield struct.pack(">BBHIHHI", 0, 129, 0, 1, 1, 1, 60)


class SSDP(_Listener):
    """Answers those who search for a gateway, and notes what is no search."""

    silent = False
    #: What is answered, each in a datagram: by default where the description of the device is.
    locations = ()

    def __init__(self, street, url, **attributes):
        super().__init__(street, "", SSDP_PORT)
        self.locations = [url + DESCRIPTION]
        self.__dict__.update(attributes)
        #: What was searched for, and what was no search.
        self.searches, self.faults = [], []
        with street.gateway.entered():
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                   socket.inet_aton(_MULTICAST) + socket.inet_aton(INSIDE))
        self.listen()

    def arrived(self, data, sender):
        lines = data.decode(errors="replace").split("\r\n")
        fields = {name.strip().upper(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        wanted = {"HOST": f"{_MULTICAST}:{SSDP_PORT}", "MAN": '"ssdp:discover"'}
        if lines[0] != "M-SEARCH * HTTP/1.1" or any(fields.get(k) != v for k, v in wanted.items()) \
                or not fields.get("MX", "").isdigit() or not data.endswith(b"\r\n\r\n"):
            self.faults.append(f"not a search: {data!r}")
            return
        self.searches.append(fields.get("ST"))
        if self.silent or fields.get("ST") != ROOT:
            return
        for location in self.locations:
            self.socket.sendto("\r\n".join([
                "HTTP/1.1 200 OK", "CACHE-CONTROL: max-age=1800", "EXT:", f"LOCATION: {location}", f"ST: {ROOT}",
                "USN: uuid:4d696e69-0000-0000-0000-0242ac120007::" + ROOT, "SERVER: Odd/1 UPnP/1.0 Odd/1", "", "",
            ]).encode(), sender)


class OddRouter(Street):
    """A gateway with a NAT-PMP and a UPnP side, each as odd as its attributes say, or absent."""

    def __init__(self, case, nat_pmp=None, upnp=None, ssdp=None):
        super().__init__(case)
        self.nat_pmp = nat_pmp if nat_pmp is None else case.speaker(NATPMP, self, **nat_pmp)
        if upnp is not None:
            self.serve_upnp(upnp, ssdp or {})

    def serve_upnp(self, upnp, ssdp):
        self.upnp = self.case.speaker(Device, self.gateway, INSIDE, **upnp)
        self.ssdp = self.case.speaker(SSDP, self, self.upnp.url, **ssdp)
