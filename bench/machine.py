"""What the figures depend on besides the code."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["caption", "facts"]


def facts() -> dict[str, Any]:
    """Return cores, processor, load and versions."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "load_average": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "open_webui": version("open-webui"),
        "openwebui_pocketbase": version("openwebui-pocketbase"),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "loop": f"uvloop {version('uvloop')}",
    }


def caption(facts: dict[str, Any]) -> str:
    """Return in a sentence where and with what something was measured."""
    versions = f"Open WebUI {facts['open_webui']}, Python {facts['python']} on {facts['loop']}"
    return f"{facts['cores']} cores ({facts['processor']}), {versions}, {facts['day']}."


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
