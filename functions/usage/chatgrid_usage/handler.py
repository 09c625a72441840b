"""What the log subscription calls for each batch of lines, and the schedule each minute."""

from chatgrid_usage.wiring import start

handler = start().handle
