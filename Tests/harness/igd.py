"""A UPnP Internet gateway device in Python: a strict one, whose attributes and subclasses are poor, broken and hostile."""
import http.server
import socketserver
import threading
import time
import xml.etree.ElementTree
from xml.sax.saxutils import escape

from .router import WAN

ROOT = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
#: Where the description is, and a control URL whose ampersand an XML document escapes.
DESCRIPTION, CONTROL = "/gate.xml", "/control?of=wan&n=1"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
#: Arguments in the order of the specification, on which old routers insist.
_ARGUMENTS = {
    "GetExternalIPAddress": [], "GetStatusInfo": [],
    "AddPortMapping": ["NewRemoteHost", "NewExternalPort", "NewProtocol", "NewInternalPort", "NewInternalClient", "NewEnabled",
                       "NewPortMappingDescription", "NewLeaseDuration"],
    "DeletePortMapping": ["NewRemoteHost", "NewExternalPort", "NewProtocol"],
    "GetSpecificPortMappingEntry": ["NewRemoteHost", "NewExternalPort", "NewProtocol"],
}


class Device:
    """Its HTTP side: a description, and a WANIPConnection:1 that insists on what its specification says."""

    #: The address outside.
    address = WAN
    #: What an action is refused with, by its name: (code, words).
    errors = {}
    #: Only mappings that never end (725).
    permanent_only = False
    #: External ports that another host of the home has (718).
    taken = ()
    #: Another control URL than ours.
    control = CONTROL
    #: A function of a request that answers instead: the description, or every call.
    description = call = None

    def __init__(self, network, host, **attributes):
        self.__dict__.update(attributes)
        #: Paths that were fetched, calls as (action, arguments), and what of either was wrong.
        self.fetched, self.calls, self.faults = [], [], []
        #: (host, port, seconds) by (transport, external port).
        self.mappings = {}
        #: Bytes that a flood sent.
        self.sent = 0
        with network.entered():
            self.server = _Server((host, 0), Request)
        self.server.device = self
        self.url = "http://%s:%d" % self.server.server_address
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def document(self):
        return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><deviceType>{ROOT}</deviceType><friendlyName>Odd &amp; sons</friendlyName>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
<serviceId>urn:upnp-org:serviceId:L3Forwarding1</serviceId><SCPDURL>/l3.xml</SCPDURL><controlURL>/l3</controlURL>
<eventSubURL>/l3e</eventSubURL></service></serviceList>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
<serviceList><service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>
<serviceId>urn:upnp-org:serviceId:WANCommonIFC1</serviceId><SCPDURL>/common.xml</SCPDURL><controlURL>/common</controlURL>
<eventSubURL>/commone</eventSubURL></service></serviceList>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<serviceList><service><serviceType>{SERVICE}</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/wan.xml</SCPDURL>
<controlURL>{escape(self.control)}</controlURL><eventSubURL>/event</eventSubURL></service></serviceList>
</device></deviceList></device></deviceList></device></root>""".encode()

    def answer(self, action, arguments, caller):
        """The fields of the answer, or (code, words) of an error."""
        if action in self.errors:
            return self.errors[action]
        if action == "GetExternalIPAddress":
            return {"NewExternalIPAddress": self.address}
        if action == "GetStatusInfo":
            return {"NewConnectionStatus": "Connected", "NewLastConnectionError": "ERROR_NONE", "NewUptime": "86400"}
        key = (arguments.get("NewProtocol"), int(arguments.get("NewExternalPort") or 0))
        if action == "AddPortMapping":
            return self.added(key, arguments, caller)
        if action == "DeletePortMapping":
            return {} if self.mappings.pop(key, None) else (714, "NoSuchEntryInArray")
        host, port, seconds = ("192.168.7.50", 1, 0) if key[1] in self.taken else self.mappings.get(key, (None, 0, 0))
        if host is None:
            return 714, "NoSuchEntryInArray"
        return {"NewInternalPort": port, "NewInternalClient": host, "NewEnabled": 1, "NewPortMappingDescription": "",
                "NewLeaseDuration": seconds}

    def added(self, key, arguments, caller):
        seconds = int(arguments["NewLeaseDuration"])
        if key[0] not in ("TCP", "UDP") or not key[1] or arguments["NewRemoteHost"] or arguments["NewEnabled"] != "1":
            return 402, "Invalid Args"
        if self.permanent_only and seconds:
            return 725, "OnlyPermanentLeasesSupported"
        if key[1] in self.taken:
            return 718, "ConflictInMappingEntry"
        if arguments["NewInternalClient"] != caller:
            return 606, "Action not authorized"
        self.mappings[key] = (arguments["NewInternalClient"], int(arguments["NewInternalPort"]), seconds)
        return {}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""


class Request(http.server.BaseHTTPRequestHandler):
    """One request to a device."""

    def do_GET(self):
        device = self.server.device
        device.fetched.append(self.path)
        if device.description:
            device.description(self)
        else:
            self.say(200 if self.path == DESCRIPTION else 404, device.document())

    def do_POST(self):
        device = self.server.device
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.headers.get("SOAPAction", "").strip('"').removeprefix(SERVICE + "#")
        root = xml.etree.ElementTree.fromstring(body)
        call = root.find(f"{{{_ENVELOPE}}}Body/{{{SERVICE}}}{action}")
        named = {child.tag: child.text or "" for child in (call if call is not None else ())}
        device.calls.append((action, named))
        if self.headers.get_content_type() != "text/xml":
            device.faults.append(f"no XML: {dict(self.headers)}")
        if device.call:
            device.call(self)
        elif self.path != CONTROL or call is None or action not in _ARGUMENTS:
            device.faults.append(f"not a call: {self.path} {dict(self.headers)} {body!r}")
            self.say_error(401, "Invalid Action")
        elif list(named) != _ARGUMENTS[action]:
            device.faults.append(f"wrong arguments of {action}: {named}")
            self.say_error(402, "Invalid Args")
        else:
            answer = device.answer(action, named, self.client_address[0])
            if isinstance(answer, tuple):
                self.say_error(*answer)
            else:
                fields = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in answer.items())
                self.say_envelope(200, f'<u:{action}Response xmlns:u="{SERVICE}">{fields}</u:{action}Response>')

    def say_error(self, code, words):
        self.say_envelope(500, f"""<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>
<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{code}</errorCode>
<errorDescription>{escape(words)}</errorDescription></UPnPError></detail></s:Fault>""")

    def say_envelope(self, status, body):
        attributes = f'xmlns:s="{_ENVELOPE}" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
        self.say(status, f'<?xml version="1.0"?>\n<s:Envelope {attributes}><s:Body>{body}</s:Body></s:Envelope>'.encode())

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", 'text/xml; charset="utf-8"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def flood(self, size, pause=0):
        """Bytes that never end, so many at a time, until the client has had enough."""
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.server.device.sent += self.connection.send(b" " * size)
                time.sleep(pause)
        except OSError:
            return

    def redirect(self, url):
        """Sends the client elsewhere, with its call."""
        self.send_response(307)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass
