"""Port mapping: reached from outside through real routers, and unharmed by odd ones."""
import os
import signal
import threading

from harness import dht, files
from harness.case import environment
from harness.igd import CONTROL, DESCRIPTION, Device
from harness.namespace import is_running
from harness.oddrouter import ELSEWHERE, OddRouter, garbage
from harness.process import until
from harness.router import HOME, INSIDE, OUTSIDE, WAN, Router
from harness.runner import long
from harness.tracker import TrackerCase

PORT = 6881
BOTH = [("TCP", PORT, HOME, PORT), ("UDP", PORT, HOME, PORT)]


class MappingCase(TrackerCase):
    """Words for a `shoal` at home and another one outside."""

    def setUp(self):
        super().setUp()
        self.file = files.write(self.path("film.mkv"), files.bytes_from(1, 300_000))

    def at_home(self, street, *words, listen=f"0.0.0.0:{PORT}", json=True, **options):
        """A `shoal` behind the router; without a network of its own to join unless the words name one."""
        join = [] if "--bootstrap" in words else ["--bootstrap-file", self.empty_file]
        with street.home.entered():
            return self.shoal(*words, "--listen", listen, *join, *(["--json"] if json else []), **options)

    def outside(self, router, what, *words):
        """Fetches outside, where nobody is known but whom the words name, and compares."""
        self._count += 1
        output = self.path(f"fetched-{self._count}")
        with router.outside.entered():
            self.fetched(what, output, *words, "--no-port-mapping", host=OUTSIDE)
        self.same(self.file, output)

    def state(self, process, state, seconds=15, **wanted):
        """The first event that says so; and no event says what the one before it has said."""
        event = process.event("port_mapping", seconds, where=lambda e: e["state"] == state and wanted.items() <= e.items())
        events = process.all("port_mapping")
        self.assertFalse([a for a, b in zip(events, events[1:]) if a == b], "said twice")
        return event

    def mapped(self, process, **wanted):
        return self.state(process, "mapped", **wanted)

    def failed(self, process, *words):
        message = self.state(process, "failed")["message"]
        for word in words:
            self.assertIn(word, message)
        return message

    def interrupted(self, *processes):
        """Ctrl-C ends each of them in less than 3 s, whatever the router does or does not."""
        for process in processes:
            process.signal(signal.SIGINT)
        for process in processes:
            process.wait(3)
            self.assertEqual(process.code, 130, process.log())


class RouterTests(MappingCase):
    """A home behind miniupnpd."""

    def reached(self, method, **kinds):
        """Mapped, fetched from outside in TCP, asked in UDP, and gone from the router at the end."""
        router = Router(self, **kinds)
        share = self.at_home(router, "share", self.file)
        torrent = share.event("torrent")
        self.assertEqual(self.mapped(share), {
            "event": "port_mapping", "state": "mapped", "method": method, "address": f"{WAN}:{PORT}", "tcp": PORT, "udp": PORT})
        self.assertEqual(router.mappings(), BOTH)
        self.outside(router, torrent["info_hash"], "--peer", f"{WAN}:{PORT}", "--no-dht")
        with router.outside.entered():
            asker = self.speaker(dht.Node, OUTSIDE)
        self.assertIsNotNone(asker.ask((WAN, PORT), "ping"), "nobody answers in UDP")
        self.interrupted(share)
        until(lambda: not router.mappings(), 2, "the mappings to be gone", self.logs)
        self.assertFalse(router.is_reached(PORT))

    def test_nat_pmp(self):
        """a sharer at home is fetched from outside by NAT-PMP alone, and leaves no mapping behind"""
        self.reached("NAT-PMP", upnp=False)

    def test_upnp(self):
        """a sharer at home is fetched from outside by UPnP alone, and leaves no mapping behind"""
        self.reached("UPnP", nat_pmp=False)

    def test_other_verbs(self):
        """node and fetch map their ports as well, one beside the other, and NAT-PMP is asked first"""
        router = Router(self)
        key = "0" * 40
        for at, words in enumerate((["node"], ["fetch", key, "-o", self.path("none")])):
            process = self.at_home(router, *words, listen=f"{HOME}:{PORT + at}")
            self.assertEqual(self.mapped(process)["method"], "NAT-PMP")
        ports = sorted({(outer, inner) for _, outer, _, inner in router.mappings()})
        self.assertEqual(ports, [(PORT + at, PORT + at) for at in range(2)])

    def test_text(self):
        """standard error says where we are reached from outside"""
        for kinds, method in (({"upnp": False}, "NAT-PMP"), ({"nat_pmp": False}, "UPnP")):
            share = self.at_home(Router(self, **kinds), "share", self.file, "--no-dht", json=False)
            until(lambda: f"reachable from outside at {WAN}:{PORT} ({method})" in share.stderr(), 10, "the sentence", self.logs)

    def test_tracker_is_told(self):
        """with another external port than ours, a fetch outside finds the sharer through the tracker alone"""
        for kinds in ({"upnp": False}, {"nat_pmp": False}):
            router = Router(self, taken=[PORT], **kinds)
            with router.outside.entered():
                tracker = self.tracker(listen=f"{OUTSIDE}:0")
            share = self.at_home(router, "share", self.file, "--no-dht", "--tracker", tracker.url)
            torrent = share.event("torrent")
            event = self.mapped(share)
            self.assertNotEqual(event["tcp"], PORT)
            self.assertEqual(event["address"], f"{WAN}:{event['tcp']}")
            self.assertIn(("TCP", event["tcp"], HOME, PORT), router.mappings())
            self.assertIn(("UDP", event["udp"], HOME, PORT), router.mappings())
            self.outside(router, torrent["info_hash"], "--tracker", tracker.url, "--no-dht")

    def test_hash_table_is_told(self):
        """with another external port than ours, a fetch outside finds the sharer through the DHT alone"""
        router = Router(self, upnp=False, taken=[PORT])
        with router.outside.entered():
            node = self.speaker(dht.Node, OUTSIDE)
        node.id = dht.identifier(OUTSIDE)
        share = self.at_home(router, "share", self.file, "--bootstrap", node.text)
        key = share.event("torrent")["info_hash"]
        port = self.mapped(share)["tcp"]
        self.assertNotEqual(port, PORT)
        announced = node.stored.setdefault(bytes.fromhex(key), set())
        until(lambda: (WAN, port) in announced, 20, "an announce of that port", self.logs)
        announced.intersection_update({(WAN, port)})
        self.outside(router, key, "--bootstrap", node.text)


class QuietTests(MappingCase):
    def test_no_question(self):
        """on loopback and with --no-port-mapping no router is asked for anything"""
        street = OddRouter(self)
        watch = street.watch()
        with street.home.entered():
            local = self.share(self.file, "--no-dht", bootstrap="127.0.0.1:1")
        told = self.at_home(street, "share", self.file, "--no-dht", "--no-port-mapping")
        told.event("torrent")
        for sharer in (local.address, f"127.0.0.1:{PORT}"):
            with street.home.entered():
                self.fetched(local.info_hash, self.path(f"to-{sharer}"), "--peer", sharer, "--no-dht")
        self.interrupted(local, told)
        self.assertEqual(watch.asked(), [])
        for process in (local, told):
            self.assertEqual(process.all("port_mapping"), [])
        # The same without the option asks at once, by both protocols.
        asking = self.at_home(street, "share", self.file, "--no-dht")
        until(lambda: {("UDP", 5351), ("UDP", 1900)} <= set(watch.asked()), 10, "questions", self.logs)
        self.interrupted(asking)

    def test_state_is_kept(self):
        """who has nothing to take leave of but a router keeps what it learned of its peers"""
        street = OddRouter(self, {})
        share = self.at_home(street, "share", self.file, "--no-dht")
        fetch = self.at_home(street, "fetch", share.event("torrent")["magnet"], "-o", self.path("to"), "--no-dht", "--seed",
                             "--peer", f"{HOME}:{PORT}", listen="0.0.0.0:6882", state=self.path("kept"))
        fetch.event("done")
        self.mapped(fetch)
        self.interrupted(fetch)
        self.assertTrue(os.path.exists(self.path("kept", "peers.secure")), self.logs())

    def test_no_gateway(self):
        """without a gateway it says so, and goes on"""
        street = OddRouter(self)
        with street.gateway.entered():
            # A network with addresses, and without any route that leads further.
            until(lambda: is_running("lan"), 5, "the cable to be there")
            share = self.shoal("share", self.file, "--json", "--listen", f"0.0.0.0:{PORT}", "--bootstrap-file", self.empty_file)
        self.failed(share, "no router")
        self.interrupted(share)

    def test_no_expat(self):
        """without libexpat the UPnP way fails with a sentence, and nothing else does"""
        street = OddRouter(self, None, {})
        # The first file of that name that the loader finds, and no library.
        files.write(self.path("hidden", "libexpat.so.1"), b"")
        env = {**environment(self.path("home")), "LD_LIBRARY_PATH": self.path("hidden")}
        share = self.at_home(street, "share", self.file, "--no-dht", env=env)
        self.failed(share, "expat is not installed")
        with street.home.entered():
            self.fetched(share.event("torrent")["info_hash"], self.path("to"), "--peer", f"127.0.0.1:{PORT}", "--no-dht")
        self.interrupted(share)
        self.assertEqual(street.upnp.calls, [])

    def test_silence(self):
        """a silent router is a failure that -v tells and nothing else does, and Ctrl-C does not wait for it"""
        street = OddRouter(self, {"silent": True}, {}, {"silent": True})
        early = self.at_home(street, "share", self.file, listen=f"0.0.0.0:{PORT + 1}")
        until(lambda: street.nat_pmp.datagrams, 10, "a question", self.logs)
        self.interrupted(early)
        quiet = self.at_home(street, "share", self.file, json=False)
        talking = self.at_home(street, "share", self.file, "-v", listen=f"0.0.0.0:{PORT + 1}", json=False)
        until(lambda: "the router does not answer" in talking.stderr(), 15, "the failure", self.logs)
        self.interrupted(quiet, talking)
        self.assertNotIn("router", quiet.stderr())
        # Three questions by NAT-PMP are enough, and a search is not repeated for ever.
        self.assertLessEqual(street.nat_pmp.datagrams, 3 * 3)
        self.assertLessEqual(len(street.ssdp.searches), 3 * 8)


class OddNATPMPTests(MappingCase):
    def share_at(self, nat_pmp, upnp=None):
        street = OddRouter(self, nat_pmp, upnp)
        share = self.at_home(street, "share", self.file, "--no-dht")
        share.street = street
        return share

    def test_refusals(self):
        """each refusal by NAT-PMP is told in its words when there is no UPnP either"""
        refused = [(self.share_at({"code": code}), word) for code, word in ((2, "switched off"), (3, "address"), (4, "room"))]
        for share, word in refused:
            self.failed(share, "refuses", word)
        self.interrupted(*[share for share, _ in refused])

    def test_refusal_before_upnp(self):
        """a router whose NAT-PMP is switched off is asked by UPnP"""
        share = self.share_at({"code": 2}, {})
        self.assertEqual(self.mapped(share)["method"], "UPnP")
        self.interrupted(share)
        until(lambda: not share.street.upnp.mappings, 2, "the mappings to be gone", self.logs)

    def test_other_port(self):
        """the external port is the router's to say, and what is said at the end takes the mapping away"""
        share = self.share_at({"shift": 1000})
        self.mapped(share, method="NAT-PMP", tcp=7881, udp=7881, address=f"{WAN}:7881")
        self.interrupted(share)
        until(lambda: not share.street.nat_pmp.mappings, 2, "both mappings to be gone", self.logs)

    def test_strange_answers(self):
        """garbage is no answer, and neither is what another address says"""
        mended = self.share_at({"before": garbage})
        lost = self.share_at({"before": garbage, "answer": lambda question: None})
        elsewhere = self.share_at({"source": ELSEWHERE})
        self.mapped(mended, tcp=PORT, udp=PORT)
        self.failed(lost, "does not answer")
        self.failed(elsewhere, "does not answer")
        self.interrupted(mended, lost, elsewhere)

    @long
    def test_restart(self):
        """a router that restarted, and has another address since, is asked to map again, and the address is told"""
        share = self.share_at({"lifetime": 4})
        self.mapped(share, address=f"{WAN}:{PORT}")
        router = share.street.nat_pmp
        router.address = "5.0.0.77"
        router.restart()
        until(lambda: set(router.mappings) == {("TCP", PORT), ("UDP", PORT)}, 10, "both to be mapped again", self.logs)
        self.mapped(share, address=f"5.0.0.77:{PORT}")
        router.silent = True
        # What a router that fell silent had granted ends, and is not told as reachable any longer.
        self.failed(share, "does not answer")
        self.assertEqual([e["state"] for e in share.all("port_mapping")], ["mapped", "mapped", "failed"])
        self.interrupted(share)

    def test_lost_answer(self):
        """a mapping whose answer never came is taken away as well"""
        share = self.share_at({"lost": 2})
        router = share.street.nat_pmp
        until(lambda: router.mappings, 10, "a mapping", self.logs)
        self.interrupted(share)
        until(lambda: not router.mappings, 2, "the mapping to be gone", self.logs)


class OddUPnPTests(MappingCase):
    def share_at(self, ssdp=None, **upnp):
        street = OddRouter(self, None, upnp, ssdp)
        share = self.at_home(street, "share", self.file, "--no-dht")
        share.upnp, share.street = street.upnp, street
        return share

    def left(self, *shares):
        """They end, take away what they had mapped, and said nothing that a strict router minds."""
        self.interrupted(*shares)
        for share in shares:
            until(lambda share=share: not share.upnp.mappings, 2, "the mappings to be gone", self.logs)
            self.assertEqual(share.upnp.faults + share.street.ssdp.faults, [])

    def test_strict(self):
        """a router that insists on every argument maps for twenty minutes, and one of permanent mappings for ever"""
        leased, permanent = self.share_at(), self.share_at(permanent_only=True)
        for share, seconds in ((leased, 1200), (permanent, 0)):
            self.mapped(share, method="UPnP", tcp=PORT, udp=PORT, address=f"{WAN}:{PORT}")
            self.assertEqual(share.upnp.mappings, {(kind, PORT): (HOME, PORT, seconds) for kind in ("TCP", "UDP")})
        self.left(leased, permanent)

    def test_taken(self):
        """when another machine has our number outside, both transports get another one"""
        share = self.share_at(taken=(PORT,))
        event = self.mapped(share, method="UPnP")
        self.assertNotEqual(event["tcp"], PORT)
        self.assertEqual(event["udp"], event["tcp"])
        self.assertEqual(set(share.upnp.mappings), {("TCP", event["tcp"]), ("UDP", event["tcp"])})
        self.left(share)

    def test_refusals(self):
        """a router that refuses is quoted, without what a terminal would obey"""
        share = self.share_at(errors={"AddPortMapping": (606, "Not for you\u202e\x9b31m" + "x" * 3000)})
        message = self.failed(share, "refuses", "Not for you")
        self.assertLess(len(message), 200)
        self.assertTrue(message.isprintable(), message)
        self.left(share)

    def test_two_routers(self):
        """a router that has a private address itself is told as it is"""
        share = self.share_at(address="192.168.178.20")
        self.assertIn("another router", self.mapped(share, address=f"192.168.178.20:{PORT}")["message"])
        self.left(share)

    def test_no_address(self):
        """a router that does not know its address maps without one"""
        shares = [self.share_at(**odd) for odd in (
            {"address": ""}, {"address": "0.0.0.0"}, {"address": "gate.example"},
            {"errors": {"GetExternalIPAddress": (501, "Failed")}})]
        for share in shares:
            self.assertNotIn("address", self.mapped(share, tcp=PORT, udp=PORT))
        self.left(*shares)

    @long
    def test_elsewhere(self):
        """no LOCATION, no control URL and no redirection leads to another machine, to ourselves or to a file"""
        trapped = [self.astray(odd, host) for odd in ("location", "control", "description", "call")
                   for host in (ELSEWHERE, "127.0.0.1")]
        others = [self.share_at(ssdp={"locations": ["file:///etc/passwd"]}),
                  self.share_at(ssdp={"locations": ["http://localhost/gate.xml"]}), self.share_at(control="file:///etc/passwd")]
        for share in trapped + others:
            self.failed(share)
        self.interrupted(*trapped, *others)
        for share in trapped:
            self.assertEqual((share.trap.fetched, share.trap.calls), ([], []), share.log())

    def astray(self, odd, host):
        """A sharer whose router leads to `host`, where a device waits that would map everything."""
        street = OddRouter(self)
        trap = self.speaker(Device, street.gateway if host == ELSEWHERE else street.home, host)
        page, control = trap.url + DESCRIPTION, trap.url + CONTROL
        upnp, ssdp = {
            "location": ({}, {"locations": [page]}),
            "control": ({"control": control}, {}),
            "description": ({"description": lambda request: request.redirect(page)}, {}),
            "call": ({"call": lambda request: request.redirect(control)}, {}),
        }[odd]
        street.serve_upnp(upnp, ssdp)
        share = self.at_home(street, "share", self.file, "--no-dht")
        share.trap = trap
        return share

    def test_many_answers(self):
        """of thousands of devices that one machine says it has, a few are looked at"""
        street = OddRouter(self)
        device = self.speaker(Device, street.gateway, INSIDE)
        street.serve_upnp({}, {"locations": [f"{device.url}/{n}.xml" for n in range(3000)]})
        share = self.at_home(street, "share", self.file, "--no-dht")
        self.failed(share)
        self.interrupted(share)
        self.assertLessEqual(len(device.fetched), 8)
        self.assertTrue(device.fetched)

    @long
    def test_endless(self):
        """a description that never ends, fast or a byte at a time, is given up, and so is an answer to a call"""
        fast = self.share_at(description=lambda request: request.flood(1 << 16))
        slow = self.share_at(description=lambda request: request.flood(1, 0.2))
        call = self.share_at(call=lambda request: request.flood(1 << 16))
        for share in (fast, slow, call):
            self.failed(share)
        for share in (fast, call):
            # What the kernels of both sides hold comes to it.
            self.assertLess(share.upnp.sent, 8 << 20)
        self.interrupted(fast, slow, call)

    def test_hanging(self):
        """Ctrl-C ends it while a description, a call, or the call that takes the mapping away hangs"""
        release = threading.Event()
        self.addCleanup(release.set)
        description = self.share_at(description=lambda request: release.wait(30))
        call = self.share_at(call=lambda request: release.wait(30))
        last = self.share_at()
        self.mapped(last)
        last.upnp.call = lambda request: release.wait(30)
        until(lambda: description.upnp.fetched and call.upnp.calls, 10, "both to hang", self.logs)
        self.interrupted(description, call, last)
        self.assertEqual(last.upnp.calls[-1][0], "DeletePortMapping")
