"""A tracker behind a proxy: https, and whose requests the proxy hands on."""
import os
import socket

from harness import bencode, files
from harness.case import environment
from harness.process import until
from harness.tls import TLSProxy
from harness.tracker import TrackerCase

QUIET = ("--listen", "127.0.0.1:0", "--no-dht", "--no-lan")
HASH = "%01" * 20


class SecureTrackerTests(TrackerCase):
    def behind(self, *args):
        """A tracker behind a proxy with TLS, and the environment of those who trust its authority."""
        tracker = self.tracker(*args)
        tracker.proxy = self.speaker(TLSProxy, tracker.address, self.new_folder("tls"))
        tracker.url = tracker.proxy.url
        return tracker, {**environment(self.path("home")), "SSL_CERT_FILE": tracker.proxy.certificate}

    def test_accounts(self):
        """over https: an account, a share and a fetch by name with it; announces carry the passkey"""
        tracker, env = self.behind("--accounts")
        secret = {"SHOAL_PASSWORD": "correct horse battery"}
        for user in ("alice", "bob"):
            self.ask(tracker, "user", "register", user, user=user, env={**env, **secret})
        path, data = self.path("a film.mkv"), os.urandom(300_000)
        files.write(path, data)
        seed = self.shoal("share", path, "--tracker", tracker.url, *QUIET, "--json", state=self.path("users", "alice"), env=env)
        told = seed.event("notice", where=lambda e: "registered" in e["message"])["message"]
        self.assertIn(f"shoal fetch 'a film.mkv@{tracker.url}'", told)
        self.expect(self.run_shoal("fetch", f"a film.mkv@{tracker.url}", *QUIET, "-o", self.path("to"),
                                   "--state", self.path("users", "bob"), env=env), 0)
        self.assertEqual(files.read(self.path("to")), data)
        for user in ("alice", "bob"):
            self.assertTrue([r for r in tracker.proxy.requests if f"/announce/{self.passkey(user)}?" in r], user)

    def test_unknown_authority(self):
        """a certificate of an authority that is not known is refused by that name, by questions and by announces"""
        tracker, env = self.behind()
        stranger = environment(self.path("home"))
        self.expect(self.run_shoal("tracker", "list", "--tracker", tracker.url, env=stranger), 4, "certificate", "self-signed")
        self.expect(self.run_shoal("tracker", "list", "--tracker", tracker.url, env=env), 0)
        path = files.write(self.path("file"), b"x" * 50_000)
        seed = self.shoal("share", path, "--tracker", tracker.url, *QUIET, "--json", env=stranger)
        failed = seed.event("tracker", where=lambda e: e["state"] == "failed")
        self.assertIn("certificate", failed["message"])
        self.assertFalse([r for r in tracker.proxy.requests if "/announce" in r])

    def test_page(self):
        """with --url the page, and the tracker itself, tell people to come through the proxy"""
        tracker = self.tracker("--url", "https://tracker.example")
        code, page, _ = self.http(tracker, "GET", "/")
        self.assertEqual(code, 200)
        self.assertIn(b"shoal share FILE --tracker https://tracker.example<", page)
        told = self.start("tracker", [w for w in self.tracker_words("--url", "https://tracker.example",
                                                                   state=self.path("other")) if w != "--json"])
        until(lambda: "shoal fetch FILE@https://tracker.example\n" in told.stderr(), 10, "what to type", self.logs)
        self.assertIn("shoal share FILE --tracker https://tracker.example\n", told.stderr())
        for wrong in ("udp://tracker.example:1", "tracker.example", "https://tracker.example/elsewhere", "https://a b"):
            self.expect(self.run_shoal("tracker", "run", "--url", wrong, "--state", self.path("none")), 2, "--url")


class ForwardedTests(TrackerCase):
    """10.77.0.9 is the tracker, 10.77.1.1 stands for another machine."""

    def said(self, tracker, source, forwarded, peer):
        """The status and the peers that one announce is answered."""
        host, port = tracker.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10, (source, 0)) as s:
            s.sendall(f"GET /announce?info_hash={HASH}&peer_id={peer * 20}&port=6881&left=1&compact=0 HTTP/1.1\r\n"
                      f"Host: x\r\nX-Forwarded-For: {forwarded}\r\n\r\n".encode())
            head, body = b"".join(iter(lambda: s.recv(1 << 16), b"")).split(b"\r\n\r\n", 1)
        status = int(head.split(b" ")[1])
        return status, [p[b"ip"].decode() for p in bencode.decode(body).get(b"peers", [])] if status == 200 else None

    def test_addresses(self):
        """X-Forwarded-For is believed from proxies that were named, and from nobody else"""
        tracker = self.tracker("--proxy", "10.77.1.1", "--proxy", "10.77.1.2", listen="10.77.0.9:0")
        self.assertEqual(self.said(tracker, "10.77.1.1", "10.78.0.5", "a"), (200, []))
        # What the client itself wrote stands to the left, and a chain of proxies is followed.
        self.assertEqual(self.said(tracker, "10.77.1.1", "10.78.0.99, 10.78.0.6, 10.77.1.2", "b"), (200, ["10.78.0.5"]))
        self.assertEqual(self.said(tracker, "10.77.1.1", "nonsense", "c"), (400, None))
        # Another machine is nobody but itself, whatever it claims.
        self.assertEqual(sorted(self.said(tracker, "10.77.1.3", "10.78.0.66", "d")[1]), ["10.78.0.5", "10.78.0.6"])
        self.assertEqual(sorted(self.said(tracker, "10.77.1.4", "nonsense", "e")[1]),
                         ["10.77.1.3", "10.78.0.5", "10.78.0.6"])

    def test_local_proxy(self):
        """who fails to log in through a proxy on the tracker's machine does not keep others out, and counts as a stranger"""
        tracker = self.tracker("--accounts")
        body = {"user": "nobody", "password": "wrong enough"}

        def login(client):
            return self.http(tracker, "POST", "/api/v1/login", body, headers={"X-Forwarded-For": client})[0]
        codes = [login("198.51.100.7") for _ in range(6)]
        self.assertEqual(codes, [401] * 5 + [429])
        self.assertEqual(login("198.51.100.8"), 401)
        open_tracker = self.tracker()

        def peers(headers):
            return self.http(open_tracker, "GET", "/api/v1/peers", headers=headers)[0]
        self.assertEqual(peers({}), 200)
        self.assertEqual(peers({"X-Forwarded-For": "198.51.100.7"}), 403)

    def test_wrong_words(self):
        """--proxy wants a numeric address"""
        self.expect(self.run_shoal("tracker", "run", "--proxy", "proxy.example", "--state", self.path("none")), 2,
                    "not a numeric address")
