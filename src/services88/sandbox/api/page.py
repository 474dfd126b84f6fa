"""The page that shows the admin API: plain HTML from its description, without a script."""

import base64
import hashlib
import json
from functools import cache
from html import escape
from typing import Any

from starlette.responses import HTMLResponse, Response

from services88.sandbox.api.openapi import description
from services88.sandbox.guard import PREFIX

__all__ = ["documentation"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid color-mix(in srgb, currentColor 25%,
  transparent); }
details { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
summary { padding: .5rem 0; cursor: pointer; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .1rem 1rem .1rem 0;
  vertical-align: top; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
"""
_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " + (
    "style-src 'sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode() + "'"
)


def documentation() -> Response:
    """Give the page."""
    headers = {
        "content-security-policy": _CSP,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return HTMLResponse(_page(), headers=headers)


@cache
def _page() -> str:
    api = description()
    operations = "\n".join(
        _operation(path, method, one)
        for path, methods in api["paths"].items()
        for method, one in methods.items()
    )
    schemas = "\n".join(
        _schema(name, schema) for name, schema in sorted(api["components"]["schemas"].items())
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The sandbox's admin API</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>The sandbox's admin API</h1>
<p>{escape(api["info"]["description"])} As a file for your tools:
<a href="{PREFIX}/openapi.json">openapi.json</a>; of seed files:
<a href="{PREFIX}/seed-schema.json">seed-schema.json</a>.</p>
<p>What changes something must be sent with <code>Content-Type: application/json</code>. Errors are
<code>{{"error": …, "remedy": …}}</code>.</p>
<h2>Addresses</h2>
{operations}
<h2>Values</h2>
{schemas}
</main>
</body>
</html>
"""


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parts = []
    parameters = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    if parameters:
        rows = "".join(
            f"<tr><td><code>{escape(one['name'])}</code></td>"
            f"<td>{escape(one['description'])}</td></tr>"
            for one in parameters
        )
        parts.append(f"<table><tr><th>Query</th><th></th></tr>{rows}</table>")
    body = operation.get("requestBody")
    if body:
        parts.append(f"<p>Send {_link(body['content']['application/json']['schema'])}.</p>")
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        shape = f": {_link(content['schema'])}" if content else ""
        text = escape(answer["description"])
        parts.append(f"<p><code>{escape(status)}</code> {text}{shape}</p>")
    return (
        f'<details id="{escape(operation["operationId"])}"><summary>'
        f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code> '
        f"{escape(operation['summary'])}</summary>{''.join(parts)}</details>"
    )


def _link(schema: dict[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"a list of {_link(schema['items'])}"
    name = schema["$ref"].rpartition("/")[2]
    return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'


def _schema(name: str, schema: dict[str, Any]) -> str:
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code> '
        f"{escape(schema.get('description', '').partition(chr(10))[0])}</summary>"
        f"<pre>{escape(json.dumps(schema, indent=2))}</pre></details>"
    )
