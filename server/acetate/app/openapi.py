"""The OpenAPI document, drawn from the table of routes and the dataclasses themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

import acetate
from acetate.app.route import Route


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 as a plain value."""
    kinds = [kind for route in routes for kind in (route.takes, route.gives) if _is_type(kind)]
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    schema_of = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Acetate", "version": acetate.__version__},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_PROBLEM = {
    "type": "object",
    "required": ["code", "message", "hint"],
    "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
}


def _operation(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "parameters": [
            *(_parameter(name, "path", True) for name in re.findall(r"{(\w+)}", route.path)),
            *(_parameter(name, "query", False) for name in route.query),
        ],
        "responses": {
            str(route.status): {"description": "As asked", **_content(route.gives, schema_of)},
            "default": {
                "description": "A refusal",
                "content": _json({"$ref": "#/components/schemas/Problem"}),
            },
        },
    }
    if route.takes is not None:
        operation["requestBody"] = {"required": True, **_content(route.takes, schema_of)}
    return operation


def _parameter(name: str, place: str, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": {"type": "string"}}


def _content(kind: Any, schema_of: dict[int, Any]) -> dict[str, Any]:
    if kind is None:
        return {}
    if isinstance(kind, str):
        return {"content": {kind: {"schema": {}}}}
    return {"content": _json(schema_of[id(kind)])}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _is_type(kind: Any) -> bool:
    return kind is not None and not isinstance(kind, str)
