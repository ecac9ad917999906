"""A box between two peers that records, and changes, what passes through it."""
import socket
import threading

from . import sps

#: Directions: what the one who dialled says, and what it is told.
TO_SERVER, TO_CLIENT = "to server", "to client"


class Proxy:
    """Passes connections on to `target`. A subclass overrides `connected`, `frame` or `changed` to meddle."""

    def __init__(self, target, host="127.0.0.1", source=None):
        self.target, self.source = target, source
        self.listener = socket.create_server((host, 0))
        self.address = self.listener.getsockname()
        #: The bytes that both sides were sent, all connections after each other.
        self.recorded = {TO_SERVER: bytearray(), TO_CLIENT: bytearray()}
        self.connections = 0
        #: The first byte of each connection: 0x13 is plain, 0x14 SPS/1.
        self.first_bytes = []
        self._lock, self._sockets = threading.Lock(), []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def text(self):
        return "%s:%d" % self.address

    def everything(self):
        with self._lock:
            return bytes(self.recorded[TO_SERVER]), bytes(self.recorded[TO_CLIENT])

    # What a subclass may do.

    def connected(self, link):
        """One connection, whose first byte is known; by default both directions until both have ended."""
        link.relay()

    def frame(self, link, direction, number, frame):
        """The frames to pass on for this one; a frame is a message of the handshake or a record of SPS/1.

        The numbers of each direction count from 0: hello and message 3, or message 2; then the records.
        """
        return [frame]

    def changed(self, link, direction, data):
        """The bytes to pass on for these, of a connection that is plain."""
        return data

    # The plumbing.

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, self.connections), daemon=True).start()

    def _serve(self, client, number):
        link = Link(self, client, number)
        self._sockets.append(link)
        try:
            first = client.recv(1, socket.MSG_PEEK)
            self.first_bytes.append(first)
            link.is_secure = first == sps.MAGIC[:1]
            self.connected(link)
        except OSError:
            pass
        finally:
            link.close()

    def note(self, direction, data):
        with self._lock:
            self.recorded[direction] += data

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for link in self._sockets:
            link.close()


class Link:
    """One connection through a proxy."""

    def __init__(self, proxy, client, number):
        self.proxy, self.client, self.number = proxy, client, number
        self.server = None
        self.is_secure = None
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def dial(self):
        source = self.proxy.source
        self.server = socket.create_connection(self.proxy.target, 5, source_address=source and (source, 0))
        self.server.settimeout(None)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


    def relay(self):
        self.server = socket.create_connection(self.proxy.target, 5, source_address=self._source)
        self.server.settimeout(None)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threads = [threading.Thread(target=self._pass_on, args=way, daemon=True) for way in (
            (TO_SERVER, self.client, self.server), (TO_CLIENT, self.server, self.client))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self):
        for sock in (self.client, self.server):
            try:
                if sock:
                    sock.shutdown(socket.SHUT_RDWR)
                    sock.close()
            except OSError:
                pass

    @property
    def _source(self):
        return (self.proxy.source, 0) if self.proxy.source else None

    def _pass_on(self, direction, source, target):
        try:
            for data in (self._frames if self.is_secure else self._chunks)(direction, source):
                self.proxy.note(direction, data)
                target.sendall(data)
        except OSError:
            pass
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _chunks(self, direction, source):
        while data := source.recv(65536):
            yield self.proxy.changed(self, direction, data)

    def _frames(self, direction, source):
        number = 0
        while frame := read_frame(source, direction, number):
            yield from self.proxy.frame(self, direction, number, frame)
            number += 1


def read_frame(source, direction, number):
    """The next message or record as it is on the wire, or what is left of it before the end."""
    head = {(TO_SERVER, 0): 14, (TO_CLIENT, 0): 3}.get((direction, number), 2)
    frame = _exactly(source, head)
    # The length is the last thing that all of them have before what it counts.
    return frame + _exactly(source, int.from_bytes(frame[-2:], "big")) if len(frame) == head else frame


def _exactly(source, size):
    data = b""
    while len(data) < size and (chunk := source.recv(size - len(data))):
        data += chunk
    return data


class Flipping(Proxy):
    """Flips one bit of one byte of one frame of the first connection."""

    def __init__(self, *args, direction, number, byte, bit=0, **options):
        self.place = (direction, number)
        self.byte, self.bit = byte, bit
        super().__init__(*args, **options)

    def frame(self, link, direction, number, frame):
        if link.number == 1 and (direction, number) == self.place:
            frame = bytearray(frame)
            frame[self.byte] ^= 1 << self.bit
        return [bytes(frame)]
