"""What Lambda calls for ``/me`` and ``/me/api-keys``."""

from chatgrid_management.wiring import from_environment

handler = from_environment()
