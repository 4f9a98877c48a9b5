"""What the OpenAPI document says about every operation: its refusals are problem details."""

from typing import Any

_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457); some codes add members of their own, such as current_status.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The status's own phrase."},
        "status": {"type": "integer", "examples": [409]},
        "detail": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "A stable word for machines.", "examples": ["not_enough_tickets"]},
        "errors": {
            "type": "object",
            "description": "What is wrong, by field.",
            "additionalProperties": True,
        },
    },
    "additionalProperties": True,
}
_RESPONSE = {
    "description": "The request was refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def add_problems(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Give every operation its 4XX answer (a postprocessing hook of drf-spectacular)."""
    del context
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components.setdefault("responses", {})["Problem"] = _RESPONSE
    for operation in _operations(result):
        operation["responses"].setdefault("4XX", {"$ref": "#/components/responses/Problem"})
    return result


def add_summaries(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Give every operation the first sentence of its description as its title (likewise a hook)."""
    del context
    for operation in _operations(result):
        sentence, _, _ = operation.get("description", "").partition(".")
        operation.setdefault("summary", " ".join(sentence.split()))
    return result


def _operations(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in result["paths"].values() for method, operation in item.items() if method in _METHODS]
