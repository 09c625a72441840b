"""A SAM template as CloudFormation would see it: read, then expanded by the SAM translator."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader
else:  # libyaml reads ten times as fast; not every build of PyYAML has it
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Where the expanded template finds code: a bucket of this name, whose keys are local folders.
LOCAL_BUCKET = "local"

_CODE_PROPERTIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
_UNPREFIXED = {"Ref", "Condition"}


class TemplateInvalid(Exception):
    """The template cannot be run locally; the text says why."""


class _Loader(SafeLoader):
    """YAML with CloudFormation's short tags (`!Ref`, `!Sub` …) read as the long form."""


def _short_tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        value = loader.construct_scalar(node)  # type: ignore[arg-type]  # the third kind of node
        if suffix == "GetAtt":
            value = value.split(".", 1)
    return {suffix if suffix in _UNPREFIXED else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_tag)
# A date stays the text that it is: `Version: 2012-10-17` is no point in time.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


def load(path: Path) -> dict[str, Any]:
    """The template as written, short tags in their long form."""
    with path.open(encoding="utf-8") as file:
        template = yaml.load(file, _Loader)  # noqa: S506  # a subclass of SafeLoader
    if not isinstance(template, dict) or "Resources" not in template:
        raise TemplateInvalid(f"{path.name} is no CloudFormation template: it has no Resources")
    return template


def local_code(logical_id: str, folder: str) -> dict[str, str]:  # noqa: ARG001  # one of a kind
    """Where code lies that stays where it is: the key is the folder, relative to the template."""
    return {"Bucket": LOCAL_BUCKET, "Key": folder}


def expand(
    path: Path,
    *,
    parameters: Mapping[str, str],
    region: str,
    code: Callable[[str, str], dict[str, str]] = local_code,
) -> dict[str, Any]:
    """The CloudFormation template that SAM makes of this one, without network or credentials.

    Args:
        path: the template.
        parameters: values for its parameters, where SAM itself has to know them.
        region: the Region that it is expanded for.
        code: bucket and key of a function's or layer's code, by logical id and folder.

    Raises:
        TemplateInvalid: the translator refuses it; all of its reasons are in the text.
    """
    template = load(path)
    _point_at_code(template, code)
    given = tuple(sorted(parameters.items()))
    expanded = json.loads(_translated(json.dumps(template), path.name, given, region))
    assert isinstance(expanded, dict)  # noqa: S101  # the translator is untyped
    return expanded


@lru_cache(maxsize=8)
def _translated(
    template: str, name: str, parameters: tuple[tuple[str, str], ...], region: str
) -> str:
    """What SAM makes of a template, as JSON; a start of the local system asks for it three times.

    Raises:
        TemplateInvalid: the translator refuses it.
    """
    # The translator takes 0.3 s to import; what only describes values should not pay for it.
    import boto3  # noqa: PLC0415
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    session = boto3.Session(
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # nothing is called with it
    )
    try:
        expanded = Translator(None, Parser(), boto_session=session).translate(
            json.loads(template), dict(parameters)
        )
    except InvalidDocumentException as error:
        reasons = "; ".join(cause.message for cause in error.causes)
        raise TemplateInvalid(f"SAM refuses {name}: {reasons}") from error
    return json.dumps(expanded)


def _point_at_code(template: dict[str, Any], code: Callable[[str, str], dict[str, str]]) -> None:
    for logical_id, resource in template["Resources"].items():
        name = _CODE_PROPERTIES.get(resource.get("Type", ""))
        properties = resource.get("Properties", {})
        folder = properties.get(name)
        if isinstance(folder, str) and "://" not in folder:
            properties[name] = code(logical_id, folder)
