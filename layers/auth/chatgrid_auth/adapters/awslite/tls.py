"""TLS: verified, version 1.2 or later, and to AWS quick to set up.

``ssl.create_default_context`` parses the platform's hundred and more certificates, which takes
longer than all else that the authorizer does before its first decision. AWS's own endpoints are
signed by five roots, so those alone are trusted, and only the one that a server's certificate leads
to is read: they lie in a folder under the names by which OpenSSL looks for them (``openssl rehash``
gives them). Should AWS move to others, one handshake fails, the platform's store, which every other
client trusts, is added, and the handshake is tried again. A ``cafile`` that the operator gives is
all the trust there is.

Imported when a client of an ``https`` endpoint is made, and never for ``http``.
"""

from __future__ import annotations

import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

AMAZON_ROOTS = __file__.rpartition("/")[0] + "/amazon_roots"


class Tls:
    """How to wrap a connected socket.

    Args:
        cafile: PEM file of the only roots to trust; ``None`` for Amazon's, then the platform's.
        to_aws: false for any other server: the platform's roots from the start.

    Raises:
        OSError: the file cannot be read, or holds no certificate.
    """

    #: What a socket that does not block raises in order to be asked again.
    again = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)
    want_write = ssl.SSLWantWriteError

    def __init__(self, cafile: str | None = None, *, to_aws: bool = True) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies, and checks the name
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        if cafile is None and not to_aws:
            self._context.load_default_certs()
        elif cafile is None:
            self._context.load_verify_locations(capath=AMAZON_ROOTS)
        else:
            self._context.load_verify_locations(cafile)
        self._may_widen = cafile is None and to_aws

    def wrap(self, connected: socket.socket, name: bytes) -> ssl.SSLSocket:
        """The socket under TLS; the handshake is still to be made."""
        return self._context.wrap_socket(
            connected, server_hostname=name, do_handshake_on_connect=False
        )

    def widen_trust(self, failure: BaseException) -> bool:
        """Whether a failed handshake is worth one more, with the platform's roots added."""
        if not (self._may_widen and isinstance(failure, ssl.SSLCertVerificationError)):
            return False
        self._may_widen = False
        self._context.load_default_certs()
        return True
