"""What Lambda calls for ``/boards``."""

from chatgrid_boards.wiring import from_environment

handler = from_environment()
