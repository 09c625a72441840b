"""The access key of every embedded AWS that a test run starts itself; random for each run."""

from __future__ import annotations

import os

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_devkit.stack.aws_access import credentials, new_access_key

#: Processes that the run starts take it over with the environment.
ACCESS_KEY = os.environ.setdefault("CHATGRID_TEST_ACCESS_KEY", new_access_key())
#: The variables that AWS's own clients read.
VARIABLES = credentials(ACCESS_KEY)
#: The same for ours.
OURS = FixedCredentials(
    Credentials(
        access_key_id=ACCESS_KEY,
        secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
        session_token="",
    )
)
