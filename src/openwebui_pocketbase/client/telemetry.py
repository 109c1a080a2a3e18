"""One OpenTelemetry span per request, if OpenTelemetry is installed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

__all__ = ["span"]

Span = Callable[[str, str], AbstractContextManager[object]]

_NOTHING = nullcontext()


def _without(_name: str, _method: str) -> AbstractContextManager[object]:
    return _NOTHING


def _make() -> Span:
    try:
        from opentelemetry import trace  # noqa: PLC0415 - optional
    except ImportError:
        return _without
    tracer = trace.get_tracer("openwebui_pocketbase")

    def start(name: str, method: str) -> AbstractContextManager[object]:
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return _NOTHING  # nobody has set tracing up
        return tracer.start_as_current_span(
            f"pocketbase {name}",
            kind=trace.SpanKind.CLIENT,
            attributes={"db.system.name": "pocketbase", "db.operation.name": name, "http.request.method": method},
        )

    return start


span: Span = _make()
"""Context manager around one request: ``with span("tags/get_tags_by_user_id", "POST"): ...``."""
