"""One request in curl, Python and JavaScript, as a reader pastes it after two lines of `export`."""

from __future__ import annotations

import json
import pprint
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What is sent.

    Attributes:
        path: with what stands in it already filled in; begins with a slash.
        headers: those beside the credential and the body's type.
        body: as JSON; ``None`` for none.
        public: whether it needs no credential.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    public: bool


def curl(request: Request) -> str:
    """For a shell."""
    parts = [f'curl "$URL{request.path}"']
    if request.method != ("GET" if request.body is None else "POST"):
        parts[0] += f" -X {request.method}"
    if not request.public:
        parts.append('-H "Authorization: Bearer $KEY"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers.items()]
    if request.body is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {shlex.quote(json.dumps(request.body, ensure_ascii=False))}")
    return " \\\n  ".join(parts)


def python(request: Request) -> str:
    """For Python with the library ``requests``."""
    headers = [f"    {name!r}: {value!r}," for name, value in request.headers.items()]
    if not request.public:
        headers.insert(0, "    'Authorization': f\"Bearer {os.environ['KEY']}\",")
    arguments = [f"os.environ['URL'] + {request.path!r}"]
    if headers:
        arguments.append("headers={\n" + "\n".join(f"    {one}" for one in headers) + "\n    }")
    if request.body is not None:
        body = pprint.pformat(request.body, sort_dicts=False, width=70)
        arguments.append("json=" + body.replace("\n", "\n" + " " * 9))
    call = "".join(f"    {argument},\n" for argument in arguments)
    return (
        "import os\n\nimport requests\n\n"
        f"response = requests.{request.method.lower()}(\n{call})\n"
        "print(response.status_code, response.json())"
    )


def javascript(request: Request) -> str:
    """For Node, and with the two values at hand for browsers."""
    headers = {name: json.dumps(value) for name, value in request.headers.items()}
    if not request.public:
        headers = {"Authorization": "`Bearer ${process.env.KEY}`", **headers}
    if request.body is not None:
        headers["Content-Type"] = '"application/json"'
    options = []
    if request.method != "GET":
        options.append(f"method: {json.dumps(request.method)},")
    if headers:
        shown = "".join(f"    {_name(name)}: {value},\n" for name, value in headers.items())
        options.append(f"headers: {{\n{shown}  }},")
    if request.body is not None:
        body = json.dumps(request.body, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        options.append(f"body: JSON.stringify({body}),")
    shown = "".join(f"  {option}\n" for option in options)
    return (
        f"const response = await fetch(process.env.URL + {json.dumps(request.path)}, {{\n"
        f"{shown}}});\nconsole.log(response.status, await response.json());"
    )


def _name(header: str) -> str:
    return header if header.isalpha() else json.dumps(header)


#: What each is called, in the order in which they are shown.
LANGUAGES = {"curl": curl, "Python": python, "JavaScript": javascript}
