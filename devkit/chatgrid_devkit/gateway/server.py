"""The local gateway as a running server: loopback only, ended by an event."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import uvicorn
import watchfiles

from chatgrid_devkit.door.loopback import for_loopback_only
from chatgrid_devkit.functions.workers import Workers
from chatgrid_devkit.gateway.app import AsgiApp, Gateway, mounted
from chatgrid_devkit.gateway.key_source import (
    ControlPlaneKeys,
    FirstOf,
    TemplateKeys,
    control_plane_reader,
)
from chatgrid_devkit.gateway.pipeline import Pipeline
from chatgrid_devkit.gateway.request_log import RequestLog
from chatgrid_devkit.gateway.usage_plans import KeySource
from chatgrid_devkit.openapi.pages import Pages
from chatgrid_devkit.stack.aws_access import AwsAccess, credentials
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.template.description import Deployment
from chatgrid_devkit.triggers import queues, schedules
from chatgrid_devkit.triggers.subscriptions import Subscriptions, handing_on

_GRACE_SECONDS = 5
_CODE_FOLDERS = ("functions", "layers")
_ENDPOINTS = ("DYNAMODB", "API_GATEWAY", "SECRETS_MANAGER", "SSM", "SQS", "CLOUDWATCH")


class PortTaken(Exception):
    """Something else listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.port = port


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What a local gateway needs to know.

    Attributes:
        parameters: values for the template's parameters, over their defaults.
        physical_ids: ids that resources have in the embedded AWS, by logical id.
        function_environment: more environment for every function; the template's goes before.
        aws: the embedded AWS; without it, only the template's own keys are known.
        functions_endpoint: where functions reach AWS, if not there; a proxy in front of it.
        log: where a short line for each request goes, and what somebody should see of the
            functions' output.
        full_log: where all of it goes in full.
        verbose: whether all of it goes to ``log`` as well.
        reload: whether changed code is taken up.
        mounts: ASGI apps beside the API's stage, by the path that they begin with.
    """

    template: Path
    host: str = "127.0.0.1"
    port: int = 3000
    parameters: Mapping[str, str] = field(default_factory=dict)
    physical_ids: Mapping[str, str] = field(default_factory=dict)
    function_environment: Mapping[str, str] = field(default_factory=dict)
    aws: AwsAccess | None = None
    functions_endpoint: str | None = None
    workers_per_function: int = 2
    log: TextIO = field(default_factory=lambda: sys.stderr)
    full_log: TextIO | None = None
    verbose: bool = False
    reload: bool = True
    mounts: Mapping[str, AsgiApp] = field(default_factory=dict)


async def serve(
    settings: GatewaySettings, stop: asyncio.Event, *, started: asyncio.Event | None = None
) -> None:
    """Run the gateway until `stop` is set; then finish what is under way and end all workers.

    Args:
        started: set once it answers and the functions' processes are on their way.

    Raises:
        PortTaken: something listens there already.
        TemplateInvalid: the template cannot be run.
    """
    deployment = read_deployment(
        settings.template, parameters=settings.parameters, physical_ids=settings.physical_ids
    )
    log = RequestLog(settings.log, keep=settings.full_log, verbose=settings.verbose)
    subscriptions = Subscriptions(deployment.subscriptions)

    def printed(function: str, line: str) -> None:
        log.output(function, line)
        subscriptions.printed(function, line)

    with listening(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        async with _workers(settings, deployment, log, on_line=printed) as workers:
            pipeline = Pipeline(
                deployment,
                functions=workers,
                keys=key_source(settings, deployment),
                timer=time.perf_counter,
            )
            base_url = f"http://{settings.host}:{port}/{deployment.api.stage}"
            app = Gateway(
                pipeline,
                stage=deployment.api.stage,
                pages=Pages(deployment.root, base_url=base_url),
                log=log,
            )
            async with (
                schedules.running(deployment.schedules, workers.invoke),
                handing_on(subscriptions, workers.invoke),
                queues.reading(
                    deployment.queue_sources,
                    workers.invoke,
                    urls=settings.physical_ids,
                    client=settings.aws and settings.aws.client("sqs"),
                ),
            ):
                await run_app(mounted(app, settings.mounts), listener, stop, started=started)


async def run_app(
    app: AsgiApp, listener: socket.socket, stop: asyncio.Event, *, started: asyncio.Event | None
) -> None:
    """Serve an app, on loopback only, until `stop` is set; then finish what is under way."""
    server = _Server(
        uvicorn.Config(
            for_loopback_only(app),
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            server_header=False,
            proxy_headers=False,  # API Gateway takes the source from the connection alone
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    if started is not None:
        started.set()
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """Leaves signals to the command that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens on an address.

    Raises:
        PortTaken: something listens there already.
    """
    # asyncio turns off Nagle's algorithm (40 ms an answer) only where the protocol is named.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1024)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(port) from error
            raise
        yield listener


def key_source(settings: GatewaySettings, deployment: Deployment) -> KeySource:
    """Where usage-plan keys are looked up: the embedded AWS as it is now, then the template."""
    own = TemplateKeys(deployment.keys)
    if settings.aws is None:
        return own
    client = settings.aws.client("apigateway")
    api = deployment.api
    api_id = settings.physical_ids.get(api.logical_id, api.id)
    return FirstOf(own, ControlPlaneKeys(control_plane_reader(client, deployment, api_id=api_id)))


def function_environment(settings: GatewaySettings) -> dict[str, str]:
    """What every function gets besides the template's variables."""
    access_key = settings.aws.access_key if settings.aws else "none"
    endpoint = settings.functions_endpoint or (settings.aws and settings.aws.endpoint)
    endpoints = {f"AWS_ENDPOINT_URL_{name}": endpoint for name in _ENDPOINTS} if endpoint else {}
    return {**credentials(access_key), **endpoints, **settings.function_environment}


@contextlib.asynccontextmanager
async def _workers(
    settings: GatewaySettings,
    deployment: Deployment,
    log: RequestLog,
    *,
    on_line: Callable[[str, str], None],
) -> AsyncIterator[Workers]:
    workers = Workers(
        deployment.functions.values(),
        environment=function_environment(settings),
        per_function=settings.workers_per_function,
        on_line=on_line,
        eager=_behind_the_api(deployment),
    )
    async with workers:
        watching = (
            asyncio.create_task(_reload_on_change(workers, settings.template, log))
            if settings.reload
            else None
        )
        try:
            yield workers
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)


def _behind_the_api(deployment: Deployment) -> set[str]:
    """The functions that a request may wait for."""
    authorizers = {authorizer.function for authorizer in deployment.api.authorizers.values()}
    return authorizers | {route.function for route in deployment.api.routes if route.function}


async def _reload_on_change(workers: Workers, template: Path, log: RequestLog) -> None:
    root = template.parent
    folders = [root / name for name in _CODE_FOLDERS if (root / name).is_dir()]
    # A function's process reads the dashboard's files once, as it does its code.
    page = (".css", ".html", ".js", ".svg")
    kinds = watchfiles.PythonFilter(extra_extensions=(template.suffix, *page))
    async for changes in watchfiles.awatch(*folders, template, watch_filter=kinds):
        names = {Path(path).name for _, path in changes}
        if template.name in names:
            log.note(f"changed: {template.name}; start again to take it up")
        code = sorted(names - {template.name})
        if code:
            log.note(f"changed: {', '.join(code[:5])}; restarting workers")
            workers.reload()
