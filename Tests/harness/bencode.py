"""Bencoding, both ways, for the speakers of the tests. Bytes in, bytes out."""


def encode(value):
    if isinstance(value, bool):
        raise TypeError("bencode has no booleans")
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, (bytes, bytearray)):
        return b"%d:%s" % (len(value), bytes(value))
    if isinstance(value, list):
        return b"l" + b"".join(encode(item) for item in value) + b"e"
    if isinstance(value, dict):
        pairs = sorted((k.encode() if isinstance(k, str) else k, v) for k, v in value.items())
        return b"d" + b"".join(encode(k) + encode(v) for k, v in pairs) + b"e"
    raise TypeError(f"cannot bencode {type(value).__name__}")


def decode_prefix(data, start=0):
    """The value that starts at `start`, and the offset behind it. Raises ValueError on anything else."""
    kind = data[start:start + 1]
    if kind == b"i":
        end = data.index(b"e", start)
        return int(data[start + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], start + 1
        while data[at:at + 1] != b"e":
            item, at = decode_prefix(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip(items[0::2], items[1::2])), at + 1
    if kind.isdigit():
        colon = data.index(b":", start)
        end = colon + 1 + int(data[start:colon])
        if end > len(data):
            raise ValueError("string runs past the end")
        return data[colon + 1:end], end
    raise ValueError(f"no bencoded value at offset {start}")


def decode(data):
    value, end = decode_prefix(data)
    if end != len(data):
        raise ValueError(f"{len(data) - end} trailing bytes")
    return value
