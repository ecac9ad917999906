"""Test data: made from a seed, compared by SHA-256."""
import hashlib
import os
import random


def bytes_from(seed, size):
    return random.Random(seed).randbytes(size)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def random_file(path, size, seed=1):
    """A file no two pieces of which are equal, made quickly."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rng = random.Random(seed)
    with open(path, "wb") as f:
        left = size
        while left > 0:
            n = min(left, 4 << 20)
            f.write(rng.randbytes(n))
            left -= n
    return path


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def tree(folder):
    """Relative path (bytes) to SHA-256 for all files below, a link's target for links, `dir` for folders."""
    root = os.fsencode(folder)
    found = {}
    for at, folders, names in os.walk(root):
        for name in folders:
            path = os.path.join(at, name)
            found[os.path.relpath(path, root)] = os.readlink(path) if os.path.islink(path) else "dir"
        for name in names:
            path = os.path.join(at, name)
            found[os.path.relpath(path, root)] = os.readlink(path) if os.path.islink(path) else sha256(path)
    return found


def sample_folder(folder):
    """Nested folders, an empty file, a one-byte file, names in UTF-8, and enough data for several pieces."""
    write(os.path.join(folder, "empty"), b"")
    write(os.path.join(folder, "one byte"), b"1")
    write(os.path.join(folder, "grüße", "日本語.txt"), "こんにちは\n".encode())
    write(os.path.join(folder, "grüße", "мир", "🐟 and chips.bin"), bytes_from(5, 70_001))
    write(os.path.join(folder, "a", "b", "c", "deep.bin"), bytes_from(6, 400_000))
    write(os.path.join(folder, "z-last-empty"), b"")
    return folder
