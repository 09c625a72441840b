"""Asks ChatGrid whether a client's credential is good: for backends anywhere, in plain Python.

Fails closed: whoever cannot be asked about, within the timeout, is not let in, and is told 503.
Try it: ``python verify_client.py`` serves http://127.0.0.1:8080 as a container behind a load
balancer would, with CHATGRID_URL (https://…/v1) and CHATGRID_VERIFY_KEY in its environment.
"""

import http.client
import json
import os
import socket
import ssl
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: For one question, connection and answer included, but for the look-up of the host's name, which
#: is the platform's: RES_OPTIONS="timeout:1 attempts:1". The gate answers in milliseconds.
TIMEOUT_SECONDS = 2.0


class Unavailable(Exception):
    """ChatGrid did not say: nothing is known of the credential."""


class _Until:
    """A socket that waits until one moment, however slowly bytes come: the usual timeout is for
    each wait anew."""

    ends = 0.0

    def left(self):
        """Seconds, on the monotonic clock."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def recv_into(self, *given):
        """As a socket's."""
        self.settimeout(self.left())
        return super().recv_into(*given)


class _Tcp(_Until, socket.socket):
    pass


class _Tls(_Until, ssl.SSLSocket):
    pass


class Verifier:
    """Verdicts on credentials.

    Args:
        url: the API's, with its stage: ``https://…/v1``.
        key: a key with the permission ``keys:verify``.
    """

    def __init__(self, url, key, timeout_seconds=TIMEOUT_SECONDS):
        self._url = urllib.parse.urlsplit(url)
        self._key = key
        self._timeout = timeout_seconds
        self._tls = ssl.create_default_context()
        self._tls.sslsocket_class = _Tls

    def verify(self, credential, **asked):
        """The verdict; ``asked`` is ``scope=``, or ``method=`` and ``resource=``, and the rest.

        Raises:
            Unavailable: there is no verdict: an outage, or this backend's own key is not good.
        """
        connection = http.client.HTTPConnection(self._url.netloc)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        body = json.dumps({"credential": credential, **asked})
        try:
            connection.sock = self._connected(time.monotonic() + self._timeout)
            connection.request("POST", f"{self._url.path}/keys/verify", body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(type(error).__name__) from None
        finally:
            connection.close()
        verdict = answer.get("data") if isinstance(answer, dict) else None
        if response.status != 200 or not isinstance(verdict, dict) or "valid" not in verdict:
            raise Unavailable(f"status {response.status}")
        return verdict

    def _connected(self, ends):
        host, secure = self._url.hostname, self._url.scheme == "https"
        port = self._url.port or (443 if secure else 80)
        failure = OSError("the name has no address")
        for *kind, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            stream = _Tcp(*kind)
            stream.ends = ends
            try:
                # Half of it: an address that drops everything leaves time for the next one.
                stream.settimeout(stream.left() / 2)
                stream.connect(address)
                stream.settimeout(stream.left())
                if secure:
                    stream = self._tls.wrap_socket(stream, server_hostname=host)
                    stream.ends = ends
                    stream.settimeout(stream.left())
            except OSError as error:
                stream.close()
                failure = error
            else:
                return stream
        raise failure


STATUSES = {"forbidden": 403, "ip_not_allowed": 403, "rate_limited": 429, "credits_exhausted": 429}
CODES = {401: "unauthorized", 403: "forbidden", 503: "service_unavailable"}


class Backend(BaseHTTPRequestHandler):
    """The protected backend: one route, ``GET /reports``."""

    verifier = None

    def do_GET(self):
        """Let a request through whose credential is good for it, and no other."""
        scheme, _, credential = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            return self._refuse(401, "unauthorized", "Missing or invalid token")
        # Behind a load balancer its X-Forwarded-For tells the client: the last address in it.
        forwarded = self.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
        source = forwarded or self.client_address[0]
        try:
            verdict = self.verifier.verify(
                credential, method="GET", resource="/reports", source_ip=source
            )
        except Unavailable:
            return self._refuse(503, "service_unavailable", "Service unavailable", wait=1)
        if not verdict["valid"]:
            status = STATUSES.get(verdict["code"], 401)
            code = CODES.get(status)
            if code is None:
                limited = verdict["code"] == "rate_limited"
                code = "rate_limit_exceeded" if limited else verdict["code"]
            wait = verdict["retry_after_seconds"]
            return self._refuse(status, code, verdict["message"], wait=wait)
        return self._answer(200, {"reports_of": verdict["caller"]["user_id"]})

    def _refuse(self, status, code, message, wait=None):
        headers = {} if wait is None else {"Retry-After": str(wait)}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        body = {"object": "error", "status": status, "code": code, "message": message}
        self._answer(status, body, headers)

    def _answer(self, status, body, headers=None):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Log nothing: a request's headers hold a credential."""


if __name__ == "__main__":
    missing = [name for name in ("CHATGRID_URL", "CHATGRID_VERIFY_KEY") if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"Set {' and '.join(missing)} in the environment.")
    Backend.verifier = Verifier(os.environ["CHATGRID_URL"], os.environ["CHATGRID_VERIFY_KEY"])
    host, port = os.environ.get("LISTEN", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    server = ThreadingHTTPServer((host, port), Backend)
    print(f"Serving http://{host}:{port}/reports", flush=True)
    server.serve_forever()
