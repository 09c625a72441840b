"""What the audit table's stream calls."""

from chatgrid_events.wiring import start

handler = start().handle
