"""The Noise protocol framework, revision 34, for X25519, ChaCha20-Poly1305 and SHA-256, written from its specification.

Names are the specification's. Secrets are plain bytes here: this is a stranger for tests, not a program to rely on.
"""
import ctypes
import hashlib
import hmac
import os

_sodium = ctypes.CDLL("libsodium.so.23")
_sodium.sodium_init()

#: The nonce that no message has: it makes the next key.
REKEY_NONCE = 2**64 - 1


class Refused(ValueError):
    """The other side's bytes prove nothing, or prove something else."""


def public_key(secret):
    point = ctypes.create_string_buffer(32)
    _sodium.crypto_scalarmult_base(point, secret)
    return point.raw


def dh(secret, public):
    shared = ctypes.create_string_buffer(32)
    if _sodium.crypto_scalarmult(shared, secret, bytes(public)) != 0:
        raise Refused("weak public key")
    return shared.raw


def _nonce(n):
    return bytes(4) + n.to_bytes(8, "little")


def encrypt(key, n, ad, plaintext):
    out, size = ctypes.create_string_buffer(len(plaintext) + 16), ctypes.c_ulonglong()
    _sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        out, ctypes.byref(size), plaintext, ctypes.c_ulonglong(len(plaintext)), ad, ctypes.c_ulonglong(len(ad)),
        None, _nonce(n), key)
    return out.raw


def decrypt(key, n, ad, ciphertext):
    if len(ciphertext) < 16:
        raise Refused("shorter than a tag")
    out, size = ctypes.create_string_buffer(max(1, len(ciphertext) - 16)), ctypes.c_ulonglong()
    failed = _sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        out, ctypes.byref(size), None, ciphertext, ctypes.c_ulonglong(len(ciphertext)), ad, ctypes.c_ulonglong(len(ad)),
        _nonce(n), key)
    if failed:
        raise Refused("tag does not fit")
    return out.raw[:size.value]


def rekeyed(key):
    return encrypt(key, REKEY_NONCE, b"", bytes(32))[:32]


def hkdf(chaining_key, material, count):
    """HKDF of section 4.3: `count` keys of 32 bytes."""
    temporary = hmac.digest(chaining_key, material, "sha256")
    outputs, last = [], b""
    for number in range(1, count + 1):
        last = hmac.digest(temporary, last + bytes([number]), "sha256")
        outputs.append(last)
    return outputs


class SymmetricState:
    def __init__(self, name):
        self.h = name.ljust(32, b"\0") if len(name) <= 32 else hashlib.sha256(name).digest()
        self.ck, self.k, self.n = self.h, None, 0

    def mix_key(self, material):
        self.ck, self.k = hkdf(self.ck, material, 2)
        self.n = 0

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key_and_hash(self, material):
        self.ck, mixed, self.k = hkdf(self.ck, material, 3)
        self.mix_hash(mixed)
        self.n = 0

    def encrypt_and_hash(self, plaintext):
        sent = plaintext
        if self.k:
            sent = encrypt(self.k, self.n, self.h, plaintext)
            self.n += 1
        self.mix_hash(sent)
        return sent

    def decrypt_and_hash(self, sent):
        plaintext = sent
        if self.k:
            plaintext = decrypt(self.k, self.n, self.h, sent)
            self.n += 1
        self.mix_hash(sent)
        return plaintext

    def split(self):
        return hkdf(self.ck, b"", 2)


def pattern(name):
    """The tokens of each message of an XX pattern with its psk modifiers."""
    messages = [["e"], ["e", "ee", "s", "es"], ["s", "se"]]
    modifiers = name.split("_")[1].removeprefix("XX")
    for modifier in modifiers.split("+") if modifiers else []:
        place = int(modifier.removeprefix("psk"))
        messages[max(0, place - 1)].insert(0 if place == 0 else len(messages[place - 1]), "psk")
    return messages


class HandshakeState:
    """One side of a handshake. `s`, `e` are secrets; the public halves may be replaced to lie about them."""

    def __init__(self, name, is_initiator, prologue, s, e=None, psks=()):
        self.symmetric = SymmetricState(name.encode())
        self.symmetric.mix_hash(prologue)
        self.messages, self.psks = pattern(name), list(psks)
        self.has_psk = bool(self.psks)
        self.is_initiator = is_initiator
        self.s, self.e = s, e or os.urandom(32)
        self.s_public, self.e_public = public_key(self.s), public_key(self.e)
        self.rs = self.re = None

    @property
    def h(self):
        return self.symmetric.h

    def _mix_dh(self, token):
        # The first letter is the initiator's key.
        mine, theirs = token if self.is_initiator else token[::-1]
        secret = {"e": self.e, "s": self.s}[mine]
        self.symmetric.mix_key(dh(secret, {"e": self.re, "s": self.rs}[theirs]))

    def write(self, payload):
        out = b""
        for token in self.messages.pop(0):
            if token == "psk":
                self.symmetric.mix_key_and_hash(self.psks.pop(0))
            elif token == "e":
                out += self.e_public
                self.symmetric.mix_hash(self.e_public)
                if self.has_psk:
                    self.symmetric.mix_key(self.e_public)
            elif token == "s":
                out += self.symmetric.encrypt_and_hash(self.s_public)
            else:
                self._mix_dh(token)
        return out + self.symmetric.encrypt_and_hash(payload)

    def read(self, message):
        rest = memoryview(message)

        def take(size):
            nonlocal rest
            if len(rest) < size:
                raise Refused("message too short")
            taken, rest = bytes(rest[:size]), rest[size:]
            return taken
        for token in self.messages.pop(0):
            if token == "psk":
                self.symmetric.mix_key_and_hash(self.psks.pop(0))
            elif token == "e":
                self.re = take(32)
                self.symmetric.mix_hash(self.re)
                if self.has_psk:
                    self.symmetric.mix_key(self.re)
            elif token == "s":
                self.rs = self.symmetric.decrypt_and_hash(take(32 + (16 if self.symmetric.k else 0)))
            else:
                self._mix_dh(token)
        return self.symmetric.decrypt_and_hash(bytes(rest))

    def split(self):
        """The key from initiator to responder, and the other one."""
        return self.symmetric.split()
