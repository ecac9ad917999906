"""A proxy with TLS in front of an HTTP server, as people run one in front of a tracker."""
import socket
import ssl
import subprocess
import threading


class TLSProxy:
    """Passes each request on to `target` (`HOST:PORT`), and says whose it is; its certificate, its own authority's, goes to `folder`."""

    def __init__(self, target, folder):
        host, port = target.rsplit(":", 1)
        self.target = host, int(port)
        self.certificate = f"{folder}/certificate.pem"
        key = f"{folder}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "1", "-subj", "/CN=tracker of a test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        #: The first line of each request.
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "https://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, address[0]), daemon=True).start()

    def _serve(self, client, address):
        try:
            client.settimeout(20)
            with self.context.wrap_socket(client, server_side=True) as wrapped:
                self._pass_on(wrapped, address)
        except OSError:
            pass  # Whoever does not trust the certificate hangs up.

    def _pass_on(self, client, address):
        said = b""
        while b"\r\n" not in said:
            more = client.recv(1 << 16)
            if not more:
                return
            said += more
        line, rest = said.split(b"\r\n", 1)
        self.requests.append(line.decode())
        with socket.create_connection(self.target, 20) as server:
            server.sendall(line + b"\r\nX-Forwarded-For: " + address.encode() + b"\r\n" + rest)
            threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
            self._copy(server, client)

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass
