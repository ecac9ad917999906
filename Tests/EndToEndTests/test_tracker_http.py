"""A tracker over HTTP as clients, people and attackers see it."""
import os
import resource
import socket
import time
import urllib.parse

from harness import bencode, postgres
from harness.torrent import Torrent
from harness.tracker import TrackerCase

HASH = bytes(range(1, 21))
SLOW = 1000
LONG = 10 << 20
SQL = ["'", "' OR '1'='1", "'; DROP TABLE shoal_files; --", "\" OR \"\"=\"", "$1", "%00", "\\", "x'); DELETE FROM shoal_accounts; --",
       "/*", "; SELECT pg_sleep(9); --", "' UNION SELECT password FROM shoal_accounts --", "${jndi:x}", "\u2019"]
# Words that only a database says.
DATABASE_WORDS = [b"syntax", b"sqlite", b"relation", b"libpq", b"unterminated", b"near \""]


def split(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def escaped(value):
    return urllib.parse.quote(value, safe="")


def announce(peer=b"a", port=6881, info_hash=HASH, **more):
    fields = {"info_hash": info_hash, "peer_id": peer * 20, "port": port, "left": 1, **more}
    return "/announce?" + "&".join(f"{k}={escaped(v if isinstance(v, (bytes, str)) else str(v))}" for k, v in fields.items())


def raw(address, words, seconds=20):
    """Sends bytes and reads to the end, whatever comes."""
    with socket.create_connection(split(address), seconds) as s:
        try:
            for at in range(0, len(words), 1 << 16):
                s.sendall(words[at:at + (1 << 16)])
        except (BrokenPipeError, ConnectionResetError):
            pass
        said = b""
        try:
            while data := s.recv(1 << 16):
                said += data
        except ConnectionResetError:
            pass
        return said


def status(said):
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else None


class TrackerHTTP(TrackerCase):
    def announced(self, tracker, path):
        code, body, headers = self.http(tracker, "GET", path)
        self.assertEqual((code, headers["Content-Type"]), (200, "text/plain"))
        return bencode.decode(body)

    def test_peers_find_each_other_in_both_families_and_both_forms(self):
        tracker = self.tracker(listen=":0")
        port = split(tracker.address)[1]
        for host in ("127.0.0.1", "::1"):
            tracker.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self.announced(tracker, announce(b"a", left=0, event="started"))
            answer = self.announced(tracker, announce(b"b", 6882))
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            key = b"peers6" if ":" in host else b"peers"
            self.assertEqual(answer[key], socket.inet_pton(family, host) + (6881).to_bytes(2, "big"))
            self.assertEqual((answer[b"complete"], answer[b"incomplete"]), (1, 1))
            self.assertEqual(answer[b"external ip"], socket.inet_pton(family, host))
            listed = self.announced(tracker, announce(b"b", 6882, compact=0))[b"peers"]
            self.assertEqual(listed, [{b"ip": host.encode(), b"peer id": b"a" * 20, b"port": 6881}])
            scraped = self.announced(tracker, f"/scrape?info_hash={escaped(HASH)}")[b"files"]
            self.assertEqual(scraped, {HASH: {b"complete": 1, b"downloaded": 0, b"incomplete": 1}})
            self.assertEqual(self.announced(tracker, announce(b"b", 6882, event="stopped"))[key], b"")

    def test_a_thousand_slow_connections_keep_nobody_from_announcing(self):
        """T9: each sends its request a byte a second."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * SLOW)), hard))
        tracker = self.tracker()
        slow = []
        for _ in range(SLOW):
            s = socket.create_connection(split(tracker.address), 20)
            self.addCleanup(s.close)
            slow.append(s)
        request = b"GET " + announce().encode()
        end = time.monotonic() + 2.5
        sent = answered = 0
        while time.monotonic() < end:
            for s in slow:
                s.send(request[sent:sent + 1])
            sent += 1
            until = time.monotonic() + 1
            while time.monotonic() < until:
                self.assertEqual(self.announced(tracker, announce(b"b", 6882))[b"incomplete"], 1)
                answered += 1
        self.assertGreater(answered, 100)
        metrics = self.http(tracker, "GET", "/metrics")[1].decode()
        # Half of the descriptors are for connections; this tracker may have four thousand where we may.
        self.assertRegex(metrics, r"shoal_tracker_http_connections 1?[0-9]{3}\n")
        self.assertIn('fate="refused"} 0\n', metrics)
        # They get their answer when they get to the end.
        slow[-1].sendall(request[sent:] + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(slow[-1].recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_the_page_shows_names_as_text_and_what_to_type(self):
        tracker = self.tracker()
        name = "<img src=x onerror='alert(1)'>.txt"
        torrent = Torrent.of("x", b"abc" * 1000)
        code, said, _ = self.http(tracker, "PUT", "/api/v1/files/" + escaped(name), torrent.file_bytes())
        self.assertIn(code, (200, 201), said)
        code, page, headers = self.http(tracker, "GET", "/")
        text = page.decode()
        self.assertEqual((code, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("<img", text)
        self.assertIn('<td class="n">2.9 KiB</td>', text)
        self.assertIn("&lt;img src=x onerror=&#39;alert(1)&#39;&gt;.txt", text)
        self.assertIn(f"magnet:?xt=urn:btih:{torrent.hex}&amp;dn=%3Cimg", text)
        self.assertIn(f"onerror=&#39;\\&#39;&#39;alert(1)&#39;\\&#39;&#39;&gt;.txt@{tracker.address}&#39;</code>", text)

    def test_hostile_fields_are_refused_and_change_nothing_in_sqlite(self):
        self.hostile_fields([])

    def test_hostile_fields_are_refused_and_change_nothing_in_postgresql(self):
        if not postgres.programs():
            self.skipTest("PostgreSQL is not installed")
        self.hostile_fields(["--db", postgres.shared().url()])

    def hostile_fields(self, words):
        tracker = self.tracker("--accounts", *words)
        code, grant, _ = self.http(tracker, "POST", "/api/v1/register", {"user": "anna", "password": "eight letters"})
        self.assertIn(code, (200, 201), grant)
        passkey = grant["passkey"]
        torrent = Torrent.of("kept.bin", os.urandom(40000))
        code, said, _ = self.http(tracker, "PUT", "/api/v1/files/kept.bin", torrent.file_bytes(), passkey)
        self.assertIn(code, (200, 201), said)

        for text in SQL:
            for code, said in self.questions(tracker, text, passkey):
                self.assertIn(code, (200, 201, 400, 401, 403, 404, 409, 429), said)
                self.assertNotIn(code, (500, 503), said)
                for word in DATABASE_WORDS:
                    self.assertNotIn(word, said if isinstance(said, bytes) else str(said).encode())
        self.long_fields(tracker, passkey)

        code, files, _ = self.http(tracker, "GET", "/api/v1/files", passkey=passkey)
        self.assertEqual(code, 200)
        self.assertIn(("kept.bin", torrent.hex), [(f["name"], f["info_hash"]) for f in files])
        code, file, _ = self.http(tracker, "GET", "/api/v1/files/kept.bin", passkey=passkey)
        self.assertEqual((code, file["size"], file["owner"]), (200, 40000, "anna"))
        answer = self.announced(tracker, announce(info_hash=torrent.info_hash).replace("/announce", f"/announce/{passkey}"))
        self.assertEqual(answer[b"incomplete"], 1)
        self.assertIsNone(tracker.code)

    def questions(self, tracker, text, passkey):
        """Every field that reaches the tracker, with `text` in it."""
        quoted = escaped(text)
        ask = lambda *words, **more: self.http(tracker, *words, **more)[:2]
        yield ask("GET", f"/api/v1/files/{quoted}", passkey=passkey)
        yield ask("GET", f"/api/v1/files?after={quoted}&limit={quoted}", passkey=passkey)
        yield ask("GET", f"/api/v1/peers?info_hash={quoted}", passkey=passkey)
        yield ask("GET", f"/api/v1/users?after={quoted}", passkey=passkey)
        yield ask("GET", "/api/v1/files", headers={"Authorization": f"Bearer {text.encode('ascii', 'replace').decode()}"})
        yield ask("DELETE", f"/api/v1/files/{quoted}", passkey=passkey)
        yield ask("PUT", f"/api/v1/files/{quoted}", b"no torrent", passkey=passkey)
        named = Torrent.of(text, b"x" * 10)
        yield ask("PUT", f"/api/v1/files/{quoted}", named.file_bytes(), passkey=passkey)
        yield ask("GET", f"/api/v1/chunks/{quoted}", passkey=passkey)
        yield ask("GET", f"/announce/{quoted}?info_hash={quoted}")
        yield ask("GET", f"/pieces?info_hash={quoted}")
        for field in ("info_hash", "peer_id", "port", "event", "key", "numwant", "left", "have", "trackerid", "compact"):
            yield ask("GET", announce(**{field: text}).replace("/announce", f"/announce/{passkey}"))

    def long_fields(self, tracker, passkey):
        """Ten MiB in each part of a request."""
        long = b"x" * LONG
        bearer = b"Authorization: Bearer " + passkey.encode() + b"\r\n"
        cases = [
            (b"GET /" + long + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET /announce?info_hash=" + long + b" HTTP/1.1\r\n\r\n", 414),
            (long.upper() + b" / HTTP/1.1\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nX: " + long + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\nAuthorization: Bearer " + long + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + long + b": x\r\n\r\n", 431),
            (b"POST /api/v1/login HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LONG + long, 413),
            (b"POST /api/v1/register HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LONG + long, 413),
            (b"PUT /api/v1/files/x HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (bearer, LONG + 1) + long + b"x", 413),
            (b"PUT /api/v1/files/x HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (bearer, LONG) + long, 400),
        ]
        for words, expected in cases:
            said = raw(tracker.address, words)
            self.assertEqual(status(said), expected, words[:60])
            self.assertNotIn(b"<html", said.lower())
            self.assertNotIn(b"xxxx", said.lower())
