"""Fetching by name from a tracker's catalogue, whatever it has, and a .torrent from a web server."""
import http.server
import os
import threading

from harness import files
from harness.tracker import TrackerCase

QUIET = ("--listen", "127.0.0.1:0", "--no-dht", "--no-lan")


class WebServer(http.server.ThreadingHTTPServer):
    """Answers GET with what `pages` has, and remembers everything that was asked."""

    def __init__(self, pages):
        self.pages, self.asked = pages, []
        super().__init__(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answers(http.server.BaseHTTPRequestHandler):
    def answer(self):
        path = self.path.split("?")[0]
        self.server.asked.append((self.command, path))
        body = self.server.pages.get(path)
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"<html>not here</html>")

    do_GET = do_PUT = do_POST = answer

    def log_message(self, *_):
        pass


class NamedFileTests(TrackerCase):
    def shared(self, tracker, name, data, *args):
        path = self.path("from", name)
        files.write(path, data)
        seed = self.shoal("share", path, "--tracker", tracker.url, *QUIET, "--json", *args)
        seed.event("notice", where=lambda e: "registered" in e["message"])
        return seed

    def get(self, what, code=0, output="to", *args):
        return self.expect(self.run_shoal("fetch", what, *QUIET, "-o", self.path(output), *args), code)

    def test_names(self):
        """NAME@TRACKER fetches; an unknown name is exit 7, one that nobody holds any more exit 3"""
        tracker = self.tracker()
        data = os.urandom(200_000)
        seed = self.shared(tracker, "a file@home.bin", data)
        self.get(f"a file@home.bin@{tracker.address}")
        self.assertEqual(files.read(self.path("to")), data)
        self.expect(self.run_shoal("fetch", f"other@{tracker.address}", *QUIET), 7, "no file of that name")
        seed.signal(2)
        seed.wait()
        self.expect(self.run_shoal("fetch", f"a file@home.bin@{tracker.address}", *QUIET), 3, "nobody holds it now")

    def test_any(self):
        """--any takes the only file there is, names them when there are several, and says when there is none"""
        tracker = self.tracker()
        words = ("fetch", "--any", "--tracker", tracker.url, *QUIET)
        self.expect(self.run_shoal(*words), 7, "has no file in its catalogue")
        data = os.urandom(50_000)
        self.shared(tracker, "one", data)
        self.expect(self.run_shoal(*words, "-o", self.path("any")), 0)
        self.assertEqual(files.read(self.path("any")), data)
        self.shared(tracker, "two", data)
        self.expect(self.run_shoal(*words, "-o", self.path("more")), 2, "one, two", "say which")

    def test_by_url(self):
        """a .torrent is fetched by its URL; one that is not there, and what is none, are told apart"""
        tracker = self.tracker()
        data = os.urandom(80_000)
        self.shared(tracker, "linked", data, "--save-torrent", self.path("linked.torrent"))
        web = WebServer({"/linked.torrent": files.read(self.path("linked.torrent")), "/page": b"<html>"})
        self.get(web.url + "/linked.torrent")
        self.assertEqual(files.read(self.path("to")), data)
        self.expect(self.run_shoal("fetch", web.url + "/none.torrent", *QUIET), 7, "404")
        self.expect(self.run_shoal("fetch", web.url + "/page", *QUIET), 5)
        self.expect(self.run_shoal("fetch", "http://127.0.0.1:1/x.torrent", *QUIET), 4, "connection refused")

    def test_foreign_tracker(self):
        """a tracker of another kind is announced to, asked once for a catalogue, and never sent a torrent"""
        answer = b"d8:intervali1800e5:peers0:e"
        web = WebServer({"/announce": answer})
        files.write(self.path("from", "f"), b"x" * 50_000)
        seed = self.shoal("share", self.path("from", "f"), "--tracker", web.url, *QUIET, "--json")
        seed.event("tracker", where=lambda e: e["state"] == "announced")
        seed.signal(2)
        self.assertEqual(seed.wait(), 130)
        self.assertIn(("GET", "/announce"), web.asked)
        self.assertLessEqual([path for _, path in web.asked].count("/api/v1/stats"), 1)
        self.assertEqual({method for method, _ in web.asked}, {"GET"})
