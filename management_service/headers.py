"""Headers of every answer: browsers guess no types, frame nothing, and run no script but that of our own pages."""

from aiohttp import web

_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_DOCS = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)  # Swagger UI styles its elements itself
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "strum",
}


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Add them. No header lets another origin read anything: there are none of CORS."""
    for name, value in _ALWAYS.items():
        response.headers[name] = value
    is_docs = request.path == "/api/docs" or request.path.startswith("/api/docs/")
    response.headers["Content-Security-Policy"] = _DOCS if is_docs else _NOTHING
    if request.path.startswith("/api/v1"):
        response.headers.setdefault("Cache-Control", "no-store")
