"""Loads FastAPI without building its models of an OpenAPI document, which no request needs.

A handler imports this before anything else imports FastAPI. ``defer_build`` is Pydantic's own
setting: such a model is built for the first value that it meets. It holds for FastAPI's models
alone; building them takes a quarter of what FastAPI takes to be imported.
"""

from pydantic import BaseModel

BaseModel.model_config["defer_build"] = True

import fastapi  # noqa: E402, F401 - what this module is for

del BaseModel.model_config["defer_build"]
