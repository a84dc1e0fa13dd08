"""What the packages before the successor have in one form, for `agent365_v0_1.py` and `agent365_v2.py`."""

import os
from types import SimpleNamespace

from microsoft_agents_a365.observability import core
from microsoft_agents_a365.observability.core.exporters import agent365_exporter


def get_tracer():
    return core.get_tracer("peer", "1.0")


def note_outcome(_exporter):
    """Lets the exporter note its pauses, and not wait. Returns what tells of them."""
    pauses = []
    agent365_exporter.time = SimpleNamespace(sleep=pauses.append)
    return lambda: {"pauses": [round(pause * 1e9) for pause in pauses]}


def configure(command, token_resolver):
    """Installs the package's whole pipeline."""
    os.environ["ENABLE_OBSERVABILITY"] = "true"
    os.environ["ENABLE_A365_OBSERVABILITY_EXPORTER"] = "true"
    return core.configure(
        service_name=command["service_name"],
        service_namespace=command["service_namespace"],
        token_resolver=token_resolver,
        cluster_category=command["cluster_category"],
    )


def flush():
    return core.get_tracer_provider().force_flush()
