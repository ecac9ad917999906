"""A tracker node to test against, and plain HTTP to it."""
import http.client
import json
import os

from . import files
from .case import SHOAL, Case, environment


class TrackerCase(Case):
    """Words for driving `shoal tracker` and what asks it."""

    def tracker(self, *args, state=None, listen="127.0.0.1:0", **options):
        """A `shoal tracker run` that answers; `.url` is where."""
        state = state or self.path("state", f"{self._count}-tracker")
        process = self.start("tracker", self.tracker_words(*args, state=state, listen=listen), **options)
        process.state = state
        process.address = process.event("listening")["address"]
        process.url = f"http://{process.address}"
        return process

    def tracker_words(self, *args, state, listen="127.0.0.1:0"):
        return [SHOAL, "tracker", "run", "--json", "--listen", listen, *args, "--state", state]

    def ask(self, tracker, *words, code=0, user="somebody", env=None, text=None):
        """Runs `shoal WORDS --tracker URL` to its end as a user with a state folder of their own."""
        options = {}
        if text is not None:
            options["stdin"] = open(files.write(self.path(f"input-{self._count}"), text.encode()), "rb")
        if env:
            options["env"] = {**environment(self.path("home")), **env}
        process = self.run_shoal(*words, "--tracker", tracker.url, "--state", self.path("users", user), **options)
        self.assertEqual(process.code, code, process.log())
        return process

    def http(self, tracker, method, path, body=None, passkey=None, headers=None):
        """One request; the status and the body, read as JSON where it is."""
        host, port = tracker.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=20)
        headers = dict(headers or {})
        if passkey:
            headers["Authorization"] = f"Bearer {passkey}"
        if isinstance(body, dict):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            data = reply.read()
        finally:
            connection.close()
        kind = reply.headers.get_content_type()
        return reply.status, json.loads(data) if kind == "application/json" and data else data, reply.headers

    def passkey(self, user="somebody"):
        """What `shoal user` has kept for a user; None for nothing."""
        path = self.path("users", user, "tracker.passkeys")
        if not os.path.exists(path):
            return None
        words = open(path).read().split()
        return words[2] if words else None
