"""The whole system on this machine: embedded AWS, identity provider, gateway, functions."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fcntl
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from chatgrid_devkit.door.printable import printable
from chatgrid_devkit.gateway.server import GatewaySettings, PortTaken, listening, serve
from chatgrid_devkit.identity.auth import LocalAuth
from chatgrid_devkit.identity.issuer import LocalIssuer, write_private
from chatgrid_devkit.stack import provision
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.events_file import kept_events
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.stack.operator_view import operator_view
from chatgrid_devkit.template import parameters
from chatgrid_devkit.template.expansion import load

TEMPLATE = Path(__file__).parents[3] / "template.yaml"
STACK_FILE = "stack.json"
LOG_FILE = "functions.log"

_WATCH_SECONDS = 0.25
_ISSUER_PATH = "/auth/v1"


class CannotRun(Exception):
    """The system cannot start, or cannot go on; the text says why in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """What a local stack needs to know.

    Attributes:
        state: folder in which everything of this stack lies; made when missing.
        port: the gateway's port on 127.0.0.1.
        parameters: values for the template's parameters, over their defaults.
        log: where request lines and the functions' output go, unless they are what each request
            leaves; the state folder's functions.log has them all.
        verbose: whether ``log`` has them all as well.
        reload: whether changed code is taken up.
        functions_endpoint: where functions reach AWS: a proxy in front of the embedded one; the
            embedded one itself when not given.
    """

    state: Path
    port: int = 3000
    template: Path = TEMPLATE
    parameters: dict[str, str] = field(default_factory=dict)
    workers_per_function: int = 2
    log: TextIO = field(default_factory=lambda: sys.stderr)
    verbose: bool = False
    reload: bool = True
    functions_endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running system, as scripts and tests meet it; what stack.json says."""

    url: str
    admin_key: str = field(repr=False)
    user_id: str
    dynamodb_endpoint: str
    access_key: str = field(repr=False)
    supabase: dict[str, Any] = field(repr=False)
    parameters: dict[str, str]
    outputs: dict[str, str]
    environments: dict[str, dict[str, str]] = field(repr=False)


async def run(
    settings: StackSettings, stop: asyncio.Event, *, on_ready: Callable[[Stack], None]
) -> None:
    """Run the system until ``stop`` is set, then end everything that was started.

    Args:
        on_ready: called once, when the gateway answers.

    Raises:
        CannotRun: it could not start, or a part of it died.
    """
    check_parameters(settings)
    with _held(settings.state), _port(settings.port):
        pass
    with _held(settings.state), _new_log(settings.state / LOG_FILE) as full_log:
        ministack = Ministack(settings.state / "aws")
        try:
            await asyncio.to_thread(ministack.start)
            gateway, stack = await asyncio.to_thread(_prepare, settings, ministack)
            gateway = dataclasses.replace(gateway, full_log=full_log)
            async with kept_events(settings, stack.outputs, ministack.client):
                await _serve(gateway, stack, ministack, stop, on_ready=on_ready)
        finally:
            await asyncio.to_thread(ministack.stop)


def check_parameters(settings: StackSettings) -> None:
    """Tell early of a parameter that the template does not have, or whose value it refuses.

    Raises:
        CannotRun: there is one.
    """
    declared = load(settings.template)["Parameters"]
    if refusal := parameters.refusal(declared, settings.parameters):
        raise CannotRun(refusal)


def _prepare(settings: StackSettings, ministack: Ministack) -> tuple[GatewaySettings, Stack]:
    """Make in the embedded AWS what the template deploys, and the first admin."""
    base_url = f"http://127.0.0.1:{settings.port}"
    issuer = LocalIssuer(settings.state, base_url)
    supabase = issuer.stack_entry()
    secrets = ministack.client("secretsmanager")
    parameters = {
        "SupabaseUrl": base_url,
        "JwtAlgorithms": "ES256,RS256,EdDSA,HS256",
        "JwtSecretArn": provision.keep_jwt_secret(secrets, supabase["jwt_secret"]),
        **settings.parameters,
    }
    deployment = read_deployment(settings.template, parameters=parameters)
    dynamodb = ministack.client("dynamodb")
    provision.make_tables(dynamodb, deployment.tables)
    ids = {
        **provision.make_queues(ministack.client("sqs"), deployment.name, deployment.queues),
        **provision.make_plans(ministack.client("apigateway"), deployment.plans),
        **provision.make_secrets(secrets, deployment.secrets),
    }
    deployment = read_deployment(settings.template, parameters=parameters, physical_ids=ids)
    known = _known_admin(settings.state)
    functions = {function.logical_id: function for function in deployment.functions.values()}
    makes_keys = functions["ManagementFunction"]
    admin = provision.first_admin(dynamodb, makes_keys.environment, known=known)
    if known is not None and admin.key != known.key:
        told = "The former admin key is no longer good (revoked, expired or deleted)"
        print(f"{told}: a new one was made.", file=settings.log, flush=True)
    url = f"{base_url}/{deployment.api.stage}"
    stack = Stack(
        url=url,
        admin_key=admin.key,
        user_id=admin.user_id,
        dynamodb_endpoint=ministack.endpoint,
        access_key=ministack.access.access_key,
        supabase=supabase,
        parameters=settings.parameters,
        **operator_view(deployment, url=url, aws_endpoint=ministack.endpoint),
    )
    write_private(
        settings.state / STACK_FILE,
        json.dumps({name: getattr(stack, name) for name in Stack.__slots__}, indent=2) + "\n",
    )
    gateway = GatewaySettings(
        template=settings.template,
        port=settings.port,
        parameters=parameters,
        physical_ids=ids,
        aws=ministack.access,
        functions_endpoint=settings.functions_endpoint,
        workers_per_function=settings.workers_per_function,
        log=settings.log,
        verbose=settings.verbose,
        reload=settings.reload,
        mounts={_ISSUER_PATH: _auth(issuer, settings, developer_id=admin.user_id)},
    )
    return gateway, stack


def _auth(issuer: LocalIssuer, settings: StackSettings, *, developer_id: str) -> LocalAuth:
    def deliver(email: str, link: str) -> None:
        message = f"\nSign-in link for {printable(email)}:\n  {printable(link)}\n"
        print(message, file=settings.log, flush=True)

    allowed = settings.parameters.get("AllowedOrigin", "*")
    return LocalAuth(
        issuer,
        developer_id=developer_id,
        now_s=lambda: int(time.time()),
        deliver=deliver,
        origins=() if allowed == "*" else (allowed,),
    )


async def _serve(
    gateway: GatewaySettings,
    stack: Stack,
    ministack: Ministack,
    stop: asyncio.Event,
    *,
    on_ready: Callable[[Stack], None],
) -> None:
    """Serve until told to stop, or until the gateway or the embedded AWS ends by itself."""
    ended, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(gateway, ended, started=started))
    waiting = [
        serving,
        asyncio.create_task(stop.wait()),
        asyncio.create_task(_death_of(ministack)),
    ]
    async with _announcing(started, lambda: on_ready(stack)):
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    died = waiting[2].done()
    for task in waiting[1:]:
        task.cancel()
    ended.set()
    try:
        await serving
    except PortTaken as taken:
        raise CannotRun(_taken(taken.port)) from None
    if died:
        raise CannotRun(f"the embedded AWS ended by itself; see {ministack.log}")
    if not stop.is_set():
        raise CannotRun("the gateway ended by itself")


@contextlib.asynccontextmanager
async def _announcing(started: asyncio.Event, announce: Callable[[], None]) -> AsyncIterator[None]:
    async def wait() -> None:
        await started.wait()
        announce()

    task = asyncio.create_task(wait())
    try:
        yield
    finally:
        task.cancel()


async def _death_of(ministack: Ministack) -> None:
    while ministack.process is not None and ministack.process.poll() is None:
        await asyncio.sleep(_WATCH_SECONDS)


@contextlib.contextmanager
def _held(state: Path) -> Iterator[None]:
    """Hold the state folder, so that no second stack uses it.

    Raises:
        CannotRun: another one does, or it is no folder to write in.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = (state / "lock").open("w")
    except OSError as reason:
        raise CannotRun(f"no state can be kept in {state}: {reason.strerror}") from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(
                f"a stack runs on {state} already; end it, or name another folder with STATE="
            ) from None
        yield


def _new_log(file: Path) -> TextIO:
    """A file for this run's lines, begun anew, that only its owner can read.

    Raises:
        CannotRun: there cannot be one.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as reason:
        raise CannotRun(f"no log can be kept in {file}: {reason.strerror}") from None
    os.fchmod(descriptor, 0o600)  # it may have been there
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def _port(port: int) -> Iterator[None]:
    """Tell early that a port is taken, before anything is started."""
    try:
        with listening("127.0.0.1", port):
            yield
    except PortTaken:
        raise CannotRun(_taken(port)) from None


def _taken(port: int) -> str:
    return f"port {port} is taken; end what listens there, or name another one with PORT="


def _known_admin(state: Path) -> provision.Admin | None:
    try:
        known = json.loads((state / STACK_FILE).read_text("utf-8"))
        return provision.Admin(user_id=known["user_id"], key=known["admin_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
