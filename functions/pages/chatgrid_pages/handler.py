"""What Lambda calls for the dashboard and the files that it is made of."""

from chatgrid_pages.wiring import start

handler = start().handle
