"""What the schedule calls: every minute, and once an hour with ``{"sweep": true}``."""

from chatgrid_reconciler.wiring import from_environment

handler = from_environment()
