"""Clients that prefer encryption of their own kind (MSE), which shoal does not speak: they come back in plain."""
import os

import clients
from harness import dht
from harness.proxy import Proxy
from harness.runner import long
from harness.torrent import Torrent
from test_clients import Interop as _Interop

PLAIN, SECURE = b"\x13", b"\x14"


class EncryptionTests(_Interop):
    def takes_after_closing(self, client, tries_first):
        """The client finds shoal through a box that notes how each connection begins."""
        self.require(client)
        source = self.sample()
        nodes = self.network(client.network)
        torrent_file = self.path("sample.torrent")
        sharer = self.share(source, "--save-torrent", torrent_file, "--no-dht", bootstrap=nodes[0], host=clients.new_address())
        box = self.speaker(Proxy, dht.parse(sharer.address), clients.new_address())
        # The DHT knows the box and not the sharer.
        speaker = self.speaker(dht.Node, box.address[0])
        torrent = Torrent.read(torrent_file)
        for node in nodes:
            self.assertIsNotNone(speaker.announce(dht.parse(node), torrent.info_hash, box.address[1]))
        other = client(self, nodes)
        output = self.path("output")
        os.makedirs(output)
        # Not by magnet: Transmission leaves its peers when it has the metadata, and the box does not dial it as a sharer would.
        other.fetch(torrent_file, output)
        other.wait_complete()
        self.same(source, os.path.join(output, "sample.bin"))
        began = [first for first in box.first_bytes if first]
        self.assertIn(PLAIN, began)
        self.assertNotIn(SECURE, began)
        if tries_first:
            self.assertNotEqual(began[0], PLAIN, "it did not try MSE: this test proves nothing")
        self.assertTrue(any(client.signature.lower() in (p.get("client") or "").lower() and p.get("secure") is False
                            for p in sharer.all("peer")), sharer.log())

    @long
    def test_libtorrent_takes(self):
        """libtorrent that prefers encryption takes a file from shoal"""
        self.takes_after_closing(clients.EncryptingLibtorrent, tries_first=False)

    @long
    def test_aria2_takes(self):
        """aria2 that tries MSE first comes back in plain and takes a file from shoal (N21)"""
        self.takes_after_closing(clients.EncryptingAria2, tries_first=True)

    @long
    def test_transmission_takes(self):
        """Transmission that tries MSE first comes back in plain and takes a file from shoal (N21)"""
        self.takes_after_closing(clients.EncryptingTransmission, tries_first=True)

    @long
    def test_libtorrent_gives(self):
        """shoal takes a file from libtorrent that prefers encryption"""
        self.gives_to_shoal(clients.EncryptingLibtorrent)

    @long
    def test_aria2_gives(self):
        """shoal takes a file from aria2 that prefers encryption"""
        self.gives_to_shoal(clients.EncryptingAria2)

    @long
    def test_transmission_gives(self):
        """shoal takes a file from Transmission that prefers encryption"""
        self.gives_to_shoal(clients.EncryptingTransmission)
