"""Loads FastAPI without what no request needs of it: a fifth of what its import takes.

A handler imports this before anything else imports FastAPI.

- FastAPI's models of an OpenAPI document stay unbuilt: ``defer_build`` is Pydantic's own setting,
  by which a model is built for the first value that it meets, and so is what FastAPI asks to be
  built again at once (``model_rebuild()``). It holds for FastAPI's models alone.
- ``pydantic.v1`` is not loaded. FastAPI wants it only to refuse models of Pydantic 1, and goes
  without where it cannot be imported; ``None`` in ``sys.modules`` is how Python says that
  (https://docs.python.org/3/reference/import.html#the-module-cache).
"""

import sys
from typing import Any

from pydantic import BaseModel

_rebuild = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined]  # a class method's


def _rebuild_when_met(cls: type[BaseModel], /, **said: Any) -> bool | None:
    """What is asked for in a module's body waits; a model that meets a value says how."""
    built: bool | None = _rebuild(cls, **said) if said else None
    return built


sys.modules["pydantic.v1"] = None  # type: ignore[assignment]  # Python's "is not there"
BaseModel.model_config["defer_build"] = True
BaseModel.model_rebuild = classmethod(_rebuild_when_met)  # type: ignore[assignment]  # for now

import fastapi  # noqa: E402, F401 - what this module is for

BaseModel.model_rebuild = classmethod(_rebuild)  # type: ignore[assignment]  # as it was
del BaseModel.model_config["defer_build"]
