"""v1 torrents made in Python, so that the tests do not take shoal's word for what one is."""
import base64
import hashlib

from . import bencode


class Torrent:
    """A torrent and, where the test serves it, its bytes."""

    def __init__(self, info, data=b""):
        self.info, self.data = info, data
        self.info_bytes = info if isinstance(info, bytes) else bencode.encode(info)
        self.info_hash = hashlib.sha1(self.info_bytes).digest()

    @classmethod
    def of(cls, name, data, piece_length=16384, files=None, **extra):
        """One file, or with `files` (a list of (path components, length)) a folder."""
        pieces = b"".join(
            hashlib.sha1(data[at:at + piece_length]).digest() for at in range(0, len(data), piece_length))
        info = {"name": name, "piece length": piece_length, "pieces": pieces, **extra}
        if files is None:
            info["length"] = len(data)
        else:
            info["files"] = [{"path": list(path), "length": length} for path, length in files]
        return cls(info, data)

    @classmethod
    def read(cls, path, data=b""):
        with open(path, "rb") as f:
            return cls(bencode.decode(f.read())[b"info"], data)

    @property
    def hex(self):
        return self.info_hash.hex()

    @property
    def base32(self):
        return base64.b32encode(self.info_hash).decode()

    @property
    def magnet(self):
        """The barest magnet link: nothing but the info-hash."""
        return f"magnet:?xt=urn:btih:{self.hex}"

    @property
    def piece_length(self):
        return self.info.get("piece length") or self.info[b"piece length"]

    @property
    def piece_count(self):
        return -(-len(self.data) // self.piece_length)

    def piece(self, index):
        return self.data[index * self.piece_length:(index + 1) * self.piece_length]

    def file_bytes(self, **extra):
        """The .torrent file."""
        return b"d" + b"".join(bencode.encode(k) + bencode.encode(v) for k, v in sorted(extra.items()) if k < "info") \
            + b"4:info" + self.info_bytes + b"e"

    def save(self, path):
        with open(path, "wb") as f:
            f.write(self.file_bytes())
        return path
