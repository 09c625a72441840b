"""The stack that a command works on: deployed on AWS, or run on this machine by ``make dev``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_cli.errors import FAULT, CliError

if TYPE_CHECKING:
    from botocore.session import Session

# botocore takes longer to load than all else together: only a command that runs loads it. boto3
# around it would add half as much again, and nothing that is used here.

STACK_FILE = "stack.json"

_LOCAL_REGION = "us-east-1"
_LOCAL_SECRET = "local"  # noqa: S105  # the embedded AWS looks at the access key id alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """How an operator names a stack."""

    stack_name: str
    region: str | None
    profile: str | None
    local: bool
    state: Path


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack that was found.

    Attributes:
        outputs: CloudFormation's outputs; the same names for a local stack, those that it has.
        parameters: CloudFormation's parameters; for a local stack those that it was given.
        client: gives a client of a service, where the stack is.
        environment: gives the variables of a function, by its logical id.
        credentials: the operator's own; ``None`` where there are none.
    """

    name: str
    local: bool
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    client: Callable[[str], Any] = field(repr=False)
    environment: Callable[[str], Mapping[str, str]] = field(repr=False)
    credentials: FixedCredentials | None = field(repr=False)

    def output(self, name: str) -> str:
        """An output.

        Raises:
            CliError: the stack has none of this name.
        """
        if name not in self.outputs:
            raise CliError(
                f"the stack {self.name} has no output {name}: it is of another template, or older",
                code="not_this_template",
                exit_code=FAULT,
            )
        return self.outputs[name]

    @property
    def emulated(self) -> bool:
        """Whether something on this machine plays AWS."""
        endpoint: str = self.client("dynamodb").meta.endpoint_url
        return urlsplit(endpoint).hostname in {"127.0.0.1", "localhost", "::1"}

    @property
    def keys_table(self) -> str:
        """The keys table's name."""
        return self.output("KeysTableName")

    @property
    def audit_table(self) -> str:
        """The audit table's name."""
        return self.output("AuditTableName")


def find(where: Where) -> Stack:
    """The stack that was named.

    Raises:
        CliError: there is none.
    """
    return _local(where.state) if where.local else _deployed(where)


def _deployed(where: Where) -> Stack:
    # Loaded by commands that ask AWS; the help and the completion are quicker without it.
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import ClientError  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    session = Session(profile=where.profile)
    if where.region is not None:
        session.set_config_variable("region", where.region)
    config = Config(
        connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
    )

    @cache
    def client(service: str) -> Any:
        return session.create_client(service, config=config)

    try:
        (stack,) = client("cloudformation").describe_stacks(StackName=where.stack_name)["Stacks"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        raise CliError(
            f"there is no stack called {where.stack_name} in"
            f" {session.get_config_variable('region')}:"
            " name it with --stack-name and --region, or say --local",
            code="no_stack",
            exit_code=FAULT,
        ) from None
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}

    @cache
    def environment(function: str) -> Mapping[str, str]:
        name = found.output(f"{function}Name")
        configuration = client("lambda").get_function_configuration(FunctionName=name)
        variables: dict[str, str] = configuration.get("Environment", {}).get("Variables", {})
        return variables

    found = Stack(
        name=where.stack_name,
        local=False,
        status=stack["StackStatus"],
        outputs=outputs,
        parameters={
            entry["ParameterKey"]: entry.get("ParameterValue", "")
            for entry in stack.get("Parameters", [])
        },
        client=client,
        environment=environment,
        credentials=_credentials(session),
    )
    return found


def _credentials(session: Session) -> FixedCredentials | None:
    found = session.get_credentials()
    if found is None:
        return None
    frozen = found.get_frozen_credentials()
    return FixedCredentials(
        Credentials(
            access_key_id=frozen.access_key or "",
            secret_access_key=frozen.secret_key or "",
            session_token=frozen.token or "",
        )
    )


def _local(state: Path) -> Stack:
    # Loaded by commands that ask AWS; the help and the completion are quicker without it.
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    described = _described(state)
    access_key: str = described["access_key"]
    session = Session()

    @cache
    def client(service: str) -> Any:
        return session.create_client(
            service,
            endpoint_url=described["dynamodb_endpoint"],
            region_name=_LOCAL_REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key=_LOCAL_SECRET,
            config=Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1}),
        )

    try:
        client("dynamodb").describe_table(TableName=described["outputs"]["KeysTableName"])
    except (BotoCoreError, ClientError):  # nothing answers, or something else does by now
        raise CliError(
            f"`make dev` is not running (the local stack of {state})",
            code="unreachable",
            exit_code=FAULT,
        ) from None
    return Stack(
        name=str(state),
        local=True,
        status="RUNNING",
        outputs=described["outputs"],
        parameters=described["parameters"],
        client=client,
        environment=described["environments"].__getitem__,
        credentials=FixedCredentials(
            Credentials(access_key_id=access_key, secret_access_key=_LOCAL_SECRET)
        ),
    )


def _described(state: Path) -> dict[str, Any]:
    """What ``make dev`` says of its stack.

    Raises:
        CliError: it says nothing, or not what is needed.
    """
    needed = ("dynamodb_endpoint", "access_key", "parameters", "outputs", "environments")
    try:
        described = json.loads((state / STACK_FILE).read_text("utf-8"))
        return {name: described[name] for name in needed}
    except (OSError, ValueError, KeyError, TypeError):
        raise CliError(
            f"there is no local stack in {state}: start it with `make dev`,"
            " or name its folder with --state",
            code="no_stack",
            exit_code=FAULT,
        ) from None
