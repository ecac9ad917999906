"""Other clients at our tracker, and our client at another tracker: over HTTP and UDP, and through it alone."""
import http.client
import json
import os
import shutil

import clients
from harness import bencode, files
from harness.case import SHOAL, Case
from harness.process import until
from harness.torrent import Torrent

SIZE = 1_000_000
SCHEMES = ("http", "udp")


class TrackerTests(Case):
    def sample(self, name, announce):
        """A file and its .torrent: private (BEP 27), so that clients ask nobody but its tracker."""
        path = files.random_file(self.path(name, "sample.bin"), SIZE, seed=f"{self.id()} {name}")
        with open(path, "rb") as f:
            torrent = Torrent.of("sample.bin", f.read(), 65536, private=1)
        file = files.write(self.path(f"{name}.torrent"), bencode.encode({"announce": announce, "info": torrent.info}))
        return path, file, torrent

    def test_others_at_ours(self):
        """libtorrent, aria2 and Transmission announce to our tracker over HTTP and over UDP, and find each other there"""
        for client in clients.ALL:
            if client.missing():
                self.skipTest(client.missing())
        # libtorrent comes back after five minutes at the earliest, and whoever is silent for two intervals is forgotten.
        tracker = self.start("tracker", [SHOAL, "tracker", "run", "--json", "--listen", f"{clients.new_address()}:6969",
                                         "--interval", "300", "--state", self.path("tracker")])
        address = tracker.event("listening")["address"]
        fetching = []
        for scheme in SCHEMES:
            source, file, torrent = self.sample(scheme, f"{scheme}://{address}/announce")
            seed = clients.Libtorrent(self, [])
            seed.seed(file, os.path.dirname(source))
            self.peers(address, torrent, 1)
            for kind in (clients.Aria2, clients.Transmission):
                other = kind(self, [])
                output = self.new_folder(f"{scheme}-{kind.name}")
                other.fetch(file, output, **({"keep_seeding": True} if kind is clients.Aria2 else {}))
                fetching.append((scheme, source, torrent, other, output))
        for scheme, source, torrent, other, output in fetching:
            with self.subTest(scheme=scheme, client=other.name):
                other.wait_complete()
                self.same(source, os.path.join(output, "sample.bin"))
                kinds = {p["client"].lower(): p["kind"] for p in self.peers(address, torrent, 3)}
                for client in clients.ALL:
                    self.assertTrue(any(client.signature.lower() in name for name in kinds), f"{client.name}: {kinds}")
        metrics = self.get(address, "/metrics").decode()
        for scheme in SCHEMES:
            self.assertRegex(metrics, rf'shoal_tracker_announces_total{{proto="{scheme}[46]?",event="started"}} [1-9]')

    def get(self, address, path):
        host, port = address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10, source_address=("10.77.0.1", 0))
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def peers(self, address, torrent, count):
        """Waits until the tracker knows so many peers of a torrent."""
        def ask():
            found = json.loads(self.get(address, f"/api/v1/peers?info_hash={torrent.hex}"))
            return found if isinstance(found, list) and len(found) >= count else None
        return until(ask, 60, f"{count} peers of {torrent.hex}", self.logs, every=0.2)

    def test_ours_at_opentracker(self):
        """our client announces to Debian's opentracker over HTTP and over UDP, and finds its peers there"""
        if not shutil.which("opentracker"):
            self.skipTest("opentracker is not installed (apt-get install opentracker)")
        host, port = clients.new_address(), 6969
        folder = self.new_folder("opentracker")
        samples = {scheme: self.sample(scheme, f"{scheme}://{host}:{port}/announce") for scheme in SCHEMES}
        # Debian's is built for a whitelist, which it reads as somebody without rights, in upper case.
        files.write(os.path.join(folder, "whitelist"), "".join(f"{s[2].hex.upper()}\n" for s in samples.values()).encode())
        os.chmod(self.folder, 0o755)
        self.start("opentracker", ["opentracker", "-i", host, "-p", str(port), "-P", str(port), "-d", folder, "-w", "whitelist"],
                   cwd=folder)
        for scheme, (source, file, torrent) in samples.items():
            with self.subTest(scheme=scheme):
                words = ["--json", "--bootstrap-file", self.empty_file, "--no-lan"]
                share = self.shoal("share", source, "--torrent", file, "--listen", f"{clients.new_address()}:0", *words)
                announced = share.event("tracker", 20, lambda e: e["state"] == "announced")
                self.assertTrue(announced["tracker"].startswith(f"{scheme}://"), announced)
                output = self.path(f"{scheme}.bin")
                fetch = self.shoal("fetch", file, "-o", output, "--listen", f"{clients.new_address()}:0", *words)
                self.assertEqual(fetch.wait(40), 0, fetch.log())
                self.same(source, output)
                sources = {p.get("source") for p in fetch.all("peer")}
                self.assertEqual(sources, {"tracker"})
                share.stop()
                # `stopped` arrives: nobody is left, as a look at its statistics shows.
                until(lambda: self.scraped(host, port, torrent) == (0, 0), 10, "opentracker to forget us", self.logs)

    def scraped(self, host, port, torrent):
        escaped = "".join(f"%{byte:02x}" for byte in torrent.info_hash)
        answer = bencode.decode(self.get(f"{host}:{port}", f"/scrape?info_hash={escaped}"))
        entry = answer[b"files"].get(torrent.info_hash, {b"complete": 0, b"incomplete": 0})
        return entry[b"complete"], entry[b"incomplete"]
