"""What the schedule calls: every minute, and once an hour with ``{"sweep": true}``."""

from __future__ import annotations

import gc

# As in the authorizer: what is loaded now stays, and there is no garbage to look for in it.
gc.disable()

from chatgrid_reconciler.wiring import from_environment  # noqa: E402

handler = from_environment()
gc.freeze()
gc.enable()
