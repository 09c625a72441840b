"""What JWTs need is loaded for the first of them, or ahead of it, as quickly as at the start."""

from __future__ import annotations

import gc


class CollectorOff:
    """Within it nothing looks for garbage, nor ever after at what it leaves behind.

    Modules are kept for the container's life, and looking through them takes a twentieth of the
    time that loading them does.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.freeze()
        gc.enable()


def load_pyjwt() -> None:
    """What verifies signatures, with PyJWT and cryptography: many times all the rest.

    The thread that fetches keys may load it at the same time. That is safe as long as both come in
    by this one module.

    Raises:
        Exception: they are not installed, or not for this Python.
    """
    with CollectorOff():
        import chatgrid_auth.adapters.jwt.verification_keys  # noqa: F401, PLC0415 - see above
