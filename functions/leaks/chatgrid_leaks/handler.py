"""What Lambda calls for ``/leaks``, and for what was reported there, out of its queue."""

from chatgrid_leaks.wiring import from_environment

handler = from_environment()
