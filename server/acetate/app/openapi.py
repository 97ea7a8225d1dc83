"""The OpenAPI document, drawn from the table of routes and the dataclasses themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

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
            "schemas": {**components, **_orders(routes, components), "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_PROBLEM = {
    "type": "object",
    "required": ["code", "message", "hint"],
    "properties": {
        **{name: {"type": "string"} for name in ("code", "message", "hint")},
        "images": {"type": "array", "items": {"type": "string"}},
    },
}
_REFUSALS = {
    400: "What was sent is not understood, or cannot be done; the message says why",
    401: "The token is missing or wrong",
    403: "Asked under a foreign name, or from a foreign page",
    404: "There is no such thing",
    409: "Not now: the message says what has to happen first (`images` names missing ones)",
    413: "Too large",
    415: "A kind of body that is not read",
    429: "Too many of yours are waiting",
    500: "A fault of the server's own",
    503: "Not ready, or too many sessions",
    507: "The disk, or the room for results, is full",
}
_ALWAYS = (400, 401, 403, 500)


def _operation(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    problem = _json({"$ref": "#/components/schemas/Problem"})
    named = re.findall(r"{(\w+)}", route.path)
    missing = (404,) if named else ()
    sent = (413,) if route.takes is not None else ()
    codes = sorted({*_ALWAYS, *missing, *sent, *route.refuses})
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "parameters": [
            *(_parameter(name, "path", {"type": "string"}) for name in named),
            *(_parameter(name, "query", schema) for name, schema in route.query.items()),
        ],
        "responses": {
            str(route.status): {"description": "As asked", **_content(route.gives, schema_of)},
            **{
                str(code): {
                    "description": _REFUSALS[code],
                    # To a browser without a token the page itself is the answer.
                    **(_content("text/html", {}) if _asks(route, code) else {"content": problem}),
                }
                for code in codes
            },
        },
    }
    if route.takes is not None:
        body = _content(route.takes, schema_of)
        if route.optional:
            body = _with_optional(body, route)
        operation["requestBody"] = {"required": True, **body}
    return operation


def _asks(route: Route, code: int) -> bool:
    return code == 401 and route.gives == "text/html"


def _with_optional(body: dict[str, Any], route: Route) -> dict[str, Any]:
    """The body's own schema under another name, without asking for what may be left out."""
    assert isinstance(route.takes, type)
    return {"content": _json({"$ref": f"#/components/schemas/{order_name(route.takes)}"})}


def order_name(kind: type[Any]) -> str:
    """What a body with optional fields is called."""
    return f"{kind.__name__}Order"


def _orders(routes: Sequence[Route], components: dict[str, Any]) -> dict[str, Any]:
    orders: dict[str, Any] = {}
    for route in routes:
        if route.optional and isinstance(route.takes, type):
            schema = components[route.takes.__name__]
            needed = [name for name in schema.get("required", []) if name not in route.optional]
            name = order_name(route.takes)
            orders[name] = {**schema, "title": name, "required": needed}
    return orders


def _parameter(name: str, place: str, schema: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _content(kind: Any, schema_of: dict[int, Any]) -> dict[str, Any]:
    if kind is None:
        return {}
    if isinstance(kind, str | tuple):
        kinds = (kind,) if isinstance(kind, str) else cast("tuple[str, ...]", kind)
        return {"content": {each: {"schema": _bytes_of(each)} for each in kinds}}
    return {"content": _json(schema_of[id(kind)])}


def _bytes_of(media: str) -> dict[str, Any]:
    """The schema of a body that is not of our own types: bytes, text, or any JSON object."""
    if media == "application/json":
        return {"type": "object"}
    text = {"type": "string"}
    readable = media.startswith("text/") or media.endswith("json")
    return text if readable else {**text, "format": "binary"}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _is_type(kind: Any) -> bool:
    return kind is not None and not isinstance(kind, str | tuple)
