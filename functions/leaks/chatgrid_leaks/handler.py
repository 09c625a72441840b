"""What Lambda calls for ``/leaks``, and for what was reported there, out of its queue."""

from __future__ import annotations

import gc

# As in the authorizer: what is loaded now stays, and there is no garbage to look for in it.
gc.disable()

import chatgrid_auth.http_api.lean_fastapi  # noqa: E402, F401 - before any other loads FastAPI
from chatgrid_leaks.wiring import from_environment  # noqa: E402

handler = from_environment()
gc.freeze()
gc.enable()
