"""Gateways that answer as miniupnpd does not: strict ones, poor ones, broken ones and hostile ones."""
import contextlib
import http.server
import random
import socket
import socketserver
import struct
import threading
import time
import xml.etree.ElementTree
from xml.sax.saxutils import escape

from .router import HOME, INSIDE, NAT_PMP_PORT, SSDP_PORT, WAN, Street

#: Another address of the gateway, which stands for another machine of the home.
ELSEWHERE = "192.168.7.9"
_MULTICAST = "239.255.255.250"
_ROOT = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
#: A control URL whose ampersand an XML document escapes.
_CONTROL = "/control?of=wan&n=1"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


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
    #: How far the external port lies from the one that was asked for.
    shift = 0
    address = WAN
    silent = False
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
        if self.silent:
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
            outer = self.mappings.setdefault((transport, inner), outer + self.shift)
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


class UPnP(_Listener):
    """SSDP, a description and a WANIPConnection:1 that insists on what its specification says."""

    address = WAN
    #: What an action is refused with, by its name: (code, words).
    errors = {}
    #: Only mappings that never end (725).
    permanent_only = False
    #: External ports that another host of the home has (718).
    taken = ()
    silent = False
    #: Another LOCATION than the description's, another control URL than the service's.
    location = control = None
    #: A function of the request's handler that answers instead: the description, or every call.
    description = call = None
    #: Where its HTTP server listens, and the port of it that a LOCATION elsewhere can name.
    host = INSIDE

    def __init__(self, street, **attributes):
        super().__init__(street, "", SSDP_PORT)
        self.__dict__.update(attributes)
        #: Searches by their target, paths that were fetched, calls as (action, arguments).
        self.searches, self.fetched, self.calls, self.faults = [], [], [], []
        #: (host, port, seconds) by (transport, external port).
        self.mappings = {}
        with street.gateway.entered():
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                   socket.inet_aton(_MULTICAST) + socket.inet_aton(INSIDE))
            self.server = _HTTPServer((self.host, 0), _Request)
        self.server.router = self
        self.url = "http://%s:%d" % self.server.server_address
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.listen()

    def arrived(self, data, sender):
        lines = data.decode(errors="replace").split("\r\n")
        fields = {name.strip().upper(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        wanted = {"HOST": f"{_MULTICAST}:{SSDP_PORT}", "MAN": '"ssdp:discover"'}
        if lines[0] != "M-SEARCH * HTTP/1.1" or any(fields.get(k) != v for k, v in wanted.items()) \
                or not fields.get("MX", "").isdigit() or not data.endswith(b"\r\n\r\n"):
            self.faults.append(f"not a search: {data!r}")
            return
        self.searches.append(fields["ST"])
        if self.silent or fields["ST"] != _ROOT:
            return
        self.socket.sendto("\r\n".join([
            "HTTP/1.1 200 OK", "CACHE-CONTROL: max-age=1800", "EXT:", f"LOCATION: {self.location or self.url + '/gate.xml'}",
            f"ST: {_ROOT}", "USN: uuid:4d696e69-0000-0000-0000-0242ac120007::" + _ROOT, "SERVER: Odd/1 UPnP/1.0 Odd/1", "", "",
        ]).encode(), sender)

    def close(self):
        super().close()
        self.server.shutdown()
        self.server.server_close()

    # What it answers.

    def document(self):
        return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><deviceType>{_ROOT}</deviceType><friendlyName>Odd &amp; sons</friendlyName>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
<serviceId>urn:upnp-org:serviceId:L3Forwarding1</serviceId><SCPDURL>/l3.xml</SCPDURL><controlURL>/l3</controlURL>
<eventSubURL>/l3e</eventSubURL></service></serviceList>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>
<serviceId>urn:upnp-org:serviceId:WANCommonIFC1</serviceId><SCPDURL>/common.xml</SCPDURL><controlURL>/common</controlURL>
<eventSubURL>/commone</eventSubURL></service></serviceList>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<serviceList><service><serviceType>{_Request.service}</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/wan.xml</SCPDURL>
<controlURL>{escape(self.control or _CONTROL)}</controlURL><eventSubURL>/event</eventSubURL></service></serviceList>
</device></deviceList></device></deviceList></device></root>""".encode()

    def answer(self, action, arguments):
        """The fields of the answer, or (code, words) of an error."""
        if action in self.errors:
            return self.errors[action]
        if action == "GetExternalIPAddress":
            return {"NewExternalIPAddress": self.address}
        if action == "GetStatusInfo":
            return {"NewConnectionStatus": "Connected", "NewLastConnectionError": "ERROR_NONE", "NewUptime": "86400"}
        key = (arguments.get("NewProtocol"), int(arguments.get("NewExternalPort") or 0))
        if action == "AddPortMapping":
            return self.added(key, arguments)
        if action == "DeletePortMapping":
            return {} if self.mappings.pop(key, None) else (714, "NoSuchEntryInArray")
        host, port, seconds = ("192.168.7.50", 1, 0) if key[1] in self.taken else self.mappings.get(key, (None, 0, 0))
        if host is None:
            return 714, "NoSuchEntryInArray"
        return {"NewInternalPort": port, "NewInternalClient": host, "NewEnabled": 1, "NewPortMappingDescription": "",
                "NewLeaseDuration": seconds}

    def added(self, key, arguments):
        seconds = int(arguments["NewLeaseDuration"])
        if key[0] not in ("TCP", "UDP") or not key[1] or arguments["NewRemoteHost"] or arguments["NewEnabled"] != "1":
            return 402, "Invalid Args"
        if self.permanent_only and seconds:
            return 725, "OnlyPermanentLeasesSupported"
        if key[1] in self.taken:
            return 718, "ConflictInMappingEntry"
        if arguments["NewInternalClient"] != HOME:
            return 606, "Action not authorized"
        self.mappings[key] = (arguments["NewInternalClient"], int(arguments["NewInternalPort"]), seconds)
        return {}


class _HTTPServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""


class _Request(http.server.BaseHTTPRequestHandler):
    service = "urn:schemas-upnp-org:service:WANIPConnection:1"
    #: Arguments in the order of the specification, on which old routers insist.
    arguments = {
        "GetExternalIPAddress": [], "GetStatusInfo": [],
        "AddPortMapping": ["NewRemoteHost", "NewExternalPort", "NewProtocol", "NewInternalPort", "NewInternalClient", "NewEnabled",
                           "NewPortMappingDescription", "NewLeaseDuration"],
        "DeletePortMapping": ["NewRemoteHost", "NewExternalPort", "NewProtocol"],
        "GetSpecificPortMappingEntry": ["NewRemoteHost", "NewExternalPort", "NewProtocol"],
    }

    def do_GET(self):
        router = self.server.router
        router.fetched.append(self.path)
        if router.description:
            router.description(self)
        else:
            self.say(200 if self.path == "/gate.xml" else 404, router.document())

    def do_POST(self):
        router = self.server.router
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.headers.get("SOAPAction", "").strip('"').removeprefix(self.service + "#")
        root = xml.etree.ElementTree.fromstring(body)
        call = root.find(f"{{{_ENVELOPE}}}Body/{{{self.service}}}{action}")
        named = {child.tag: child.text or "" for child in call if child is not None} if call is not None else {}
        router.calls.append((action, named))
        if router.call:
            router.call(self)
        elif self.path != _CONTROL or call is None or action not in self.arguments:
            router.faults.append(f"not a call: {self.path} {dict(self.headers)} {body!r}")
            self.say_error(401, "Invalid Action")
        elif list(named) != self.arguments[action]:
            router.faults.append(f"wrong arguments of {action}: {named}")
            self.say_error(402, "Invalid Args")
        else:
            answer = router.answer(action, named)
            if isinstance(answer, tuple):
                self.say_error(*answer)
            else:
                fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in answer.items())
                self.say_envelope(200, f'<u:{action}Response xmlns:u="{self.service}">{fields}</u:{action}Response>')

    def say_error(self, code, words):
        self.say_envelope(500, f"""<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>
<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{code}</errorCode>
<errorDescription>{escape(words)}</errorDescription></UPnPError></detail></s:Fault>""")

    def say_envelope(self, status, body):
        self.say(status, (f'<?xml version="1.0"?>\n<s:Envelope xmlns:s="{_ENVELOPE}" '
                          f's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>{body}</s:Body></s:Envelope>').encode())

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", 'text/xml; charset="utf-8"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def flood(self, size, pause=0):
        """Bytes that never end, so many at a time, until the client has had enough; how many went is noted."""
        self.send_response(200)
        self.end_headers()
        self.server.router.sent = 0
        try:
            while True:
                self.server.router.sent += self.connection.send(b" " * size)
                time.sleep(pause)
        finally:
            self.server.router.flooded = time.monotonic()

    def log_message(self, *words):
        pass


class OddRouter(Street):
    """A gateway with a NAT-PMP and a UPnP side, each as odd as its attributes say, or absent."""

    def __init__(self, case, nat_pmp=None, upnp=None):
        super().__init__(case)
        self.nat_pmp = nat_pmp if nat_pmp is None else case.speaker(NATPMP, self, **nat_pmp)
        self.upnp = upnp if upnp is None else case.speaker(UPnP, self, **upnp)
