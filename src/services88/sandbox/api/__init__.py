"""The admin API under ``/__sandbox/``. Its endpoints are the test controls of ``controls.py``.

From their declarations follow the routes (``routing.py``), the OpenAPI description
(``openapi.py``) and the page that shows it (``page.py``).
"""

from services88.sandbox.api.routing import api_routes

__all__ = ["api_routes"]
