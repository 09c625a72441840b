"""Runs the API of another stack beside the local system, which must be running.

``python -m chatgrid_devkit.beside.run examples/http-api/template.yaml`` takes the running system's
store, authorizer and keys; it deploys nothing, and keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from yaml import YAMLError

from chatgrid_devkit.beside.deployment import Beside, read_beside
from chatgrid_devkit.beside.http_api import HttpApiPipeline
from chatgrid_devkit.functions.workers import Workers
from chatgrid_devkit.gateway.app import Gateway
from chatgrid_devkit.gateway.key_source import TemplateKeys
from chatgrid_devkit.gateway.pipeline import Pipeline
from chatgrid_devkit.gateway.request_log import RequestLog
from chatgrid_devkit.gateway.server import (
    GatewaySettings,
    PortTaken,
    function_environment,
    listening,
    run_app,
)
from chatgrid_devkit.openapi.pages import Pages
from chatgrid_devkit.stack.aws_access import AwsAccess
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.system import STACK_FILE, TEMPLATE
from chatgrid_devkit.template.description import Deployment, Function
from chatgrid_devkit.template.expansion import TemplateInvalid
from chatgrid_devkit.template.parameters import parameter


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM.

    Returns:
        0 when it was told to end, 1 when it could not run.
    """
    options = _parser().parse_args(arguments)
    try:
        stack = json.loads((options.state / STACK_FILE).read_text("utf-8"))
        running = _running(stack)
    except (OSError, ValueError, KeyError) as reason:
        print(
            f"no stack runs on {options.state}: start one with `make dev` ({reason})",
            file=sys.stderr,
        )
        return 1
    try:
        beside = read_beside(options.template, running, parameters=dict(options.parameter))
        check_packages(beside.deployment.functions.values())
        asyncio.run(_serve(beside, stack, options.template, options.port))
    except OSError as reason:
        print(f"{options.template}: {reason.strerror or reason}", file=sys.stderr)
        return 1
    except (TemplateInvalid, PortTaken, YAMLError) as reason:
        print(f"{options.template}: {reason}", file=sys.stderr)
        return 1
    return 0


def check_packages(functions: Iterable[Function]) -> None:
    """Tell early of a Node function whose packages are not installed: each of its calls is a 500.

    Raises:
        TemplateInvalid: there is one.
    """
    for function in functions:
        manifest = function.code / "package.json"
        if not function.runtime.startswith("nodejs") or not manifest.is_file():
            continue
        wanted = json.loads(manifest.read_text("utf-8")).get("dependencies", {})
        lacking = [name for name in wanted if not (function.code / "node_modules" / name).exists()]
        if lacking:
            raise TemplateInvalid(
                f"{function.logical_id} needs {', '.join(lacking)}: run `npm install` in "
                f"{function.code} (docs/other-apis.md tells how to get chatgrid-guard)"
            )


def _running(stack: dict[str, Any]) -> Deployment:
    """The running stack, its functions with the environments that they have there."""
    name = "chatgrid-auth"  # what examples call it
    known = read_deployment(TEMPLATE, parameters=stack["parameters"], stack=name)
    environments = stack["environments"]
    functions = {
        name: dataclasses.replace(function, environment=environments[function.logical_id])
        for name, function in known.functions.items()
    }
    return dataclasses.replace(known, functions=functions)


async def _serve(beside: Beside, stack: dict[str, Any], template: Path, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, stop.set)
    access = AwsAccess(endpoint=stack["dynamodb_endpoint"], access_key=stack["access_key"])
    settings = GatewaySettings(template=template, port=port, aws=access)
    log = RequestLog(sys.stderr)
    with listening(settings.host, settings.port) as listener:
        functions = beside.deployment.functions
        async with Workers(
            functions.values(),
            environment=function_environment(settings),
            per_function=settings.workers_per_function,
            on_line=log.output,
            eager=set(functions),
        ) as workers:
            api = beside.http_api or beside.deployment.api
            pipeline = (
                Pipeline(
                    beside.deployment,
                    functions=workers,
                    keys=TemplateKeys(beside.deployment.keys),
                    timer=time.perf_counter,
                )
                if beside.http_api is None
                else HttpApiPipeline(
                    beside.http_api, account=beside.deployment.account, functions=workers
                )
            )
            path = "" if api.stage == "$default" else f"/{api.stage}"
            url = f"http://{settings.host}:{port}{path}"
            pages = Pages(beside.deployment.root, base_url=url)
            print(f"{template} is running at {url}", flush=True)
            app = Gateway(pipeline, stage=api.stage, pages=pages, log=log)
            await run_app(app, listener, stop, started=None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatgrid-beside", description="Run another stack's API beside `make dev`."
    )
    parser.add_argument("template", type=Path, help="the other stack's SAM template")
    parser.add_argument("--port", type=int, default=3001, help="port of its API (3001)")
    parser.add_argument("--state", type=Path, default=Path(".devkit"), help="the running stack's")
    parser.add_argument(
        "--parameter",
        type=parameter,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the template",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
