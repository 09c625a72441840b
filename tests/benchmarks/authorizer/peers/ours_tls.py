"""The authorizer of this project over TLS: the stub's certificate stands beside Amazon's roots."""

from __future__ import annotations

import gc
import os

gc.disable()  # as the handler does before it loads anything, this too

from chatgrid_auth.adapters.awslite import tls  # noqa: E402

tls.AMAZON_ROOTS = os.environ["BENCHMARK_ROOTS"]

from chatgrid_authorizer.handler import handler  # noqa: E402 -- it builds its client on import

__all__ = ["handler"]
