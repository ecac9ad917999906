"""A sharer, or a fetch, among strangers that speak SPS/1."""
from . import dht, files, peer, records, sps
from .case import Case, environment
from .process import until
from .torrent import Torrent

PIECE = 16384


class SecureCase(Case):
    """A file of 20 pieces, its torrent, and words for both sides."""

    size = 20 * PIECE

    def setUp(self):
        super().setUp()
        self.data = files.bytes_from("secure", self.size)
        self.source = files.write(self.path("source", "a-name-of-its-own.bin"), self.data)
        self.torrent = Torrent.of("a-name-of-its-own.bin", self.data, PIECE)
        self.torrent_file = self.torrent.save(self.path("secure.torrent"))

    # A sharer of ours, and strangers that dial it.

    def sharer(self, *args, bootstrap=None, **options):
        """Shares the torrent; without `bootstrap` nobody finds it but who is told its address."""
        join = {} if bootstrap else {"bootstrap": "127.0.0.1:9"}
        process = self.share(self.source, "--torrent", self.torrent_file, *([] if bootstrap else ["--no-dht"]), *args,
                             **({"bootstrap": bootstrap} if bootstrap else join), **options)
        process.key = process.event("listening")["key"]
        process.at = dht.parse(process.address)
        return process

    def dial(self, sharer, source=None, **fields):
        """A session with the sharer, whose key is the one it prints."""
        wire = sps.dial(sharer.at, self.torrent.info_hash, records.key(sharer.key), source, **fields)
        self.addCleanup(wire.drop)
        return wire

    def said_by(self, wire, kind):
        """The payload of the next message of this kind."""
        while True:
            got, payload = wire.next()
            if got == kind:
                return payload

    def unchoked(self, wire):
        wire.message(peer.INTERESTED)
        self.said_by(wire, peer.UNCHOKE)
        return wire

    def block(self, wire, index=1, begin=0, length=PIECE):
        """Asks for a block and returns its bytes."""
        wire.message(peer.REQUEST, peer.request(index, begin, length))
        return self.said_by(wire, peer.PIECE)[8:]

    def assert_serves(self, wire):
        self.assertEqual(self.block(self.unchoked(wire)), self.torrent.piece(1))

    def assert_closed_for(self, wire, reason):
        """The session is closed with this reason, and before that nothing of the torrent is said."""
        try:
            kind, _ = wire.next()
            self.fail(f"message {kind} came instead of a close record")
        except sps.ClosedFor as closed:
            self.assertEqual(closed.reason, reason, closed)
            return closed.text

    def assert_refused(self, sharer, source=None, **fields):
        """No session comes about, or it ends without a message; returns what was raised."""
        try:
            wire = self.dial(sharer, source, **fields)
            kind, _ = wire.next()
        except (peer.Closed, ValueError) as error:
            return error
        self.fail(f"message {kind} came")

    # A fetch of ours.

    def fetch_from(self, *peers, args=(), what=None, output="copy.bin", **options):
        """Starts a fetch that knows these peers alone, each `HOST:PORT` or `KEY@HOST:PORT`."""
        named = [word for p in peers for word in ("--peer", p)]
        return self.fetch(what or self.torrent_file, self.path(output), "--no-dht", *named, *args, **options)

    def assert_fetched(self, fetch, seconds=30, output="copy.bin"):
        fetch.wait(seconds)
        self.assertEqual(fetch.code, 0, fetch.log())
        self.same(self.source, self.path(output))

    def peer_events(self, process, address=None, **fields):
        """The `peer` events that have all of these fields."""
        return [e for e in process.all("peer") if (address is None or e["address"] == address)
                and all(e.get(k) == v for k, v in fields.items())]

    def reason(self, process, word, seconds=20):
        """Waits for a peer event with this reason, or one of several."""
        words = word.split("|")
        return until(lambda: [e for e in process.all("peer") if e.get("reason") in words], seconds,
                     f"a peer event with reason {word}", process.log)[0]

    def pinned(self, seeder, identity=None):
        return f"{(identity or seeder.identity).text}@{seeder.text}"

    def local_limits(self):
        """The environment in which limits per address hold on loopback too."""
        return {**environment(self.path("home")), "SHOAL_LOCAL_LIMITS": "on"}
