"""The ASGI application: addresses, media types, limits, and what HTTP itself refuses."""
