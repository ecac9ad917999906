"""shoal and each of the other clients, both ways, found through the DHT alone."""
import os

import clients
from harness import files
from harness.case import Case
from harness.runner import long
from harness.torrent import Torrent

SIZE = 5_000_000  # 77 pieces of 64 KiB, the last one short


class Interop(Case):
    """A DHT of `shoal node`s, each with an address in a /24 of its own, and one other client."""

    def new_host(self):
        """Where the next node of ours listens."""
        return clients.new_address()

    def network(self, size):
        """Starts the nodes; the other client bootstraps from the first few."""
        first = self.node(host=self.new_host())
        rest = [self.node(host=self.new_host(), bootstrap=first.address) for _ in range(size - 1)]
        return [first.address] + [n.address for n in rest]

    def require(self, client):
        missing = client.missing()
        if missing:
            self.skipTest(missing)

    def sample(self):
        return files.random_file(self.path("source", "sample.bin"), SIZE, seed=self.id())

    def takes_from_shoal(self, client, by_magnet=True):
        """shoal shares; the other client gets it, by a bare magnet link or by a .torrent that shoal made."""
        self.require(client)
        source = self.sample()
        nodes = self.network(client.network)
        torrent_file = self.path("sample.torrent")
        sharer = self.share(source, "--save-torrent", torrent_file, bootstrap=nodes[0], host=self.new_host())
        other = client(self, nodes)
        output = self.path("output")
        os.makedirs(output)
        other.fetch(Torrent.read(torrent_file).magnet if by_magnet else torrent_file, output)
        other.wait_complete()
        self.same(source, os.path.join(output, "sample.bin"))
        peers = sharer.all("peer")
        self.assertTrue(any(client.signature.lower() in (p.get("client") or "").lower() for p in peers),
                        f"no peer of shoal is called {client.signature}: {[p.get('client') for p in peers]}")

    def gives_to_shoal(self, client):
        """The other client seeds a .torrent that shoal made; shoal gets it by bare info-hash."""
        self.require(client)
        source = self.sample()
        torrent_file = self.path("sample.torrent")
        made = self.run_shoal("torrent", "create", source, "-o", torrent_file)
        self.assertEqual(made.code, 0, made.log())
        torrent = Torrent.read(torrent_file)
        nodes = self.network(client.network)
        other = client(self, nodes)
        other.seed(torrent_file, self.path("source"))
        output = self.path("output", "sample.bin")
        os.makedirs(self.path("output"))
        fetch = self.fetched(torrent.hex, output, bootstrap=nodes[0], host=self.new_host(), seconds=client.patience)
        self.same(source, output)
        # Either found the other through the DHT and dialled it: nothing else knows both.
        names = [p.get("client") or "" for p in fetch.all("peer")]
        self.assertTrue(any(client.signature.lower() in n.lower() for n in names), f"{client.signature} is not in {names}")


class LibtorrentTests(Interop):
    def test_takes_by_magnet(self):
        """libtorrent takes a file from shoal by a bare magnet link"""
        self.takes_from_shoal(clients.Libtorrent)

    def test_takes_by_torrent(self):
        """libtorrent takes a file from shoal by the .torrent that shoal wrote"""
        self.takes_from_shoal(clients.Libtorrent, by_magnet=False)

    def test_gives(self):
        """shoal takes a file from libtorrent by bare info-hash"""
        self.gives_to_shoal(clients.Libtorrent)

    def test_is_bootstrap(self):
        """two shoals find each other through a DHT whose only other node is libtorrent's"""
        self.require(clients.Libtorrent)
        router = clients.Libtorrent(self, [])
        router.join()
        source = self.sample()
        sharer = self.share(source, bootstrap=router.address, host=clients.new_address())
        output = self.path("output.bin")
        self.fetched(sharer.info_hash, output, bootstrap=router.address, host=clients.new_address(), seconds=40)
        self.same(source, output)


class LibtorrentIPv6Tests(Interop):
    """The IPv6 DHT (BEP 32) alone: nobody has an IPv4 address."""

    def new_host(self):
        return "[::1]"

    def test_takes_by_magnet(self):
        """libtorrent takes a file from shoal by a bare magnet link over IPv6"""
        self.takes_from_shoal(clients.LibtorrentIPv6)

    def test_gives(self):
        """shoal takes a file from libtorrent by bare info-hash over IPv6"""
        self.gives_to_shoal(clients.LibtorrentIPv6)


class Aria2Tests(Interop):
    @long
    def test_takes_by_magnet(self):
        """aria2 takes a file from shoal by a bare magnet link"""
        self.takes_from_shoal(clients.Aria2)

    def test_takes_by_torrent(self):
        """aria2 takes a file from shoal by the .torrent that shoal wrote"""
        self.takes_from_shoal(clients.Aria2, by_magnet=False)

    def test_gives(self):
        """shoal takes a file from aria2 by bare info-hash"""
        self.gives_to_shoal(clients.Aria2)


class TransmissionTests(Interop):
    @long
    def test_takes_by_magnet(self):
        """Transmission takes a file from shoal by a bare magnet link"""
        self.takes_from_shoal(clients.Transmission)

    @long
    def test_takes_by_torrent(self):
        """Transmission takes a file from shoal by the .torrent that shoal wrote"""
        self.takes_from_shoal(clients.Transmission, by_magnet=False)

    @long
    def test_gives(self):
        """shoal takes a file from Transmission by bare info-hash"""
        self.gives_to_shoal(clients.Transmission)
