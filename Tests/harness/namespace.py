"""Runs the tests where they can reach nothing but themselves.

`enter()` starts this program again inside network, mount and process namespaces of its own. There is no route to
anywhere, mounts vanish with the last process, and so does every process that a test left behind.
"""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys

_OUTER = "HARNESS_OUTER_NETWORK"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
_IFF_UP, _IFF_RUNNING = 1, 0x40
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def enter():
    """Returns inside the namespaces; outside them it replaces this process."""
    here = os.readlink("/proc/self/ns/net")
    outer = os.environ.pop(_OUTER, None)
    if outer is None:
        argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if os.geteuid() != 0:
            argv.append("--map-root-user")
        os.environ[_OUTER] = here
        os.execvp("unshare", argv + [sys.executable] + sys.argv)
    if outer == here:
        sys.exit("refusing to run: the network namespace is still the machine's own")
    _set_flags("lo", _flags("lo") | _IFF_UP)
    # One prefix on lo makes every 10.76.x.y to 10.79.x.y local. Transmission refuses peers in 127/8, and DHT nodes
    # keep one contact per address and few per /24, so every client gets a /24 of its own in here.
    _set_address("lo:1", "10.77.0.1", "255.252.0.0")
    refuse_if_connected()


def refuse_if_connected():
    """Ends the program if an interface other than `lo` is up: a test must never reach a public address."""
    for _, name in socket.if_nameindex():
        if name != "lo" and _flags(name) & _IFF_UP:
            sys.exit(f"refusing to run: interface {name} is up in the tests' namespace")


def is_running(name):
    """Whether an interface has its cable, as programs are told that list addresses."""
    return bool(_flags(name) & _IFF_RUNNING)


def _ioctl(request, packed):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return fcntl.ioctl(s, request, packed)


def _flags(name):
    return struct.unpack("16xH22x", _ioctl(_SIOCGIFFLAGS, struct.pack("16s24x", name.encode())))[0]


def _set_flags(name, flags):
    _ioctl(_SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), flags))


def _set_address(name, address, mask):
    for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, mask)):
        _ioctl(request, struct.pack("16sHH4s16x", name.encode(), socket.AF_INET, 0, socket.inet_aton(value)))


class Network:
    """A network of its own beside that of the tests, so that its addresses and ports are nobody else's.

    What a thread opens or starts inside `with network.entered():` belongs to it. It leads only where `link` lays a cable.
    """

    def __init__(self):
        with _returning():
            _check(_libc.unshare(_CLONE_NEWNET))
            self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            _set_flags("lo", _flags("lo") | _IFF_UP)

    @contextlib.contextmanager
    def entered(self):
        with _returning():
            _check(_libc.setns(self._descriptor, _CLONE_NEWNET))
            yield self

    def link(self, name, addresses, other, other_name, other_addresses):
        """A cable to another network: what its ends are called, and their addresses in the form a.b.c.d/n.

        The kernel says of the end that is up first at once that it is running, of the second one only a second later.
        """
        with self.entered():
            ip("link", "add", name, "type", "veth", "peer", "name", other_name, "netns",
               f"/proc/{os.getpid()}/fd/{other._descriptor}")
        for network, end, own in ((other, other_name, other_addresses), (self, name, addresses)):
            with network.entered():
                for address in own:
                    ip("address", "add", address, "dev", end)
                ip("link", "set", end, "up")

    def close(self):
        """It vanishes with the last program and socket in it."""
        os.close(self._descriptor)


@contextlib.contextmanager
def _returning():
    """Whatever network is entered inside is left again; only this thread, and what it starts, is ever in another one."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _check(_libc.setns(back, _CLONE_NEWNET))
        os.close(back)


def _check(code):
    if code != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class SmallDisk:
    """A tmpfs of a given size; it lives in the tests' mount namespace only."""

    def __init__(self, folder, size):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)

    def resize(self, size):
        self._mount("-o", f"remount,size={size}", self.folder)

    def read_only(self, on=True):
        self._mount("-o", "remount," + ("ro" if on else "rw"), self.folder)

    def remove(self):
        subprocess.run(["umount", "--lazy", self.folder], check=False, capture_output=True)

    @staticmethod
    def _mount(*args):
        subprocess.run(["mount", *args], check=True, capture_output=True)
