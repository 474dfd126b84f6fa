"""The admin API under ``/__sandbox/``: each endpoint is declared once, in ``endpoints.py``.

From that declaration follow the routes (``routing.py``), the OpenAPI description (``openapi.py``)
and the page that shows it (``page.py``).
"""

from services88.sandbox.api.routing import api_routes

__all__ = ["api_routes"]
