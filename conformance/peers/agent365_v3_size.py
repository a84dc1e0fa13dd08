"""Records what the pure functions of the exporter of `microsoft-opentelemetry` make of inputs of `size_v3`."""

import hashlib
import json
import os
from datetime import datetime

from microsoft.opentelemetry.a365.core.exporters import utils
from microsoft.opentelemetry.a365.core.exporters.durable_delivery import TransmissionGate

from typed_values import plain

DOMAIN = "A365_OBSERVABILITY_DOMAIN_OVERRIDE"

# Longer spans are recorded by their hash.
SHOWN_BYTES = 20_000


def size(given):
    try:
        return FUNCTIONS[given["function"]](given)
    except Exception as error:
        return {"error": {"type": type(error).__name__, "message": str(error)}}


def estimate_value(given):
    return {"result": utils.estimate_value_bytes(plain(given["value"]))}


def estimate_span(given):
    return {"result": utils.estimate_span_bytes(span_of(given["span"]))}


def chunks(given):
    sizes = given["sizes"]
    return {"result": utils.chunk_by_size(list(range(len(sizes))), sizes.__getitem__, given["max_chunk_bytes"])}


def truncate(given):
    span = span_of(given["span"])
    before = json.loads(json.dumps(span))
    cut = utils.truncate_span(span)
    kept, changed = before.get("attributes") or {}, cut.get("attributes") or {}
    text = json.dumps(cut, separators=(",", ":"), ensure_ascii=False)
    written = text.encode()
    serialized = {"utf8_len": len(written), "sha256": hashlib.sha256(written).hexdigest()}
    if len(written) <= SHOWN_BYTES:
        serialized["text"] = text
    return {
        "escaped_size_before": escaped_size(before),
        "escaped_size_after": escaped_size(cut),
        "same_object_returned": cut is span,
        "truncated_keys": [key for key in changed if changed[key] != kept[key]],
        "serialized": serialized,
    }


def escaped_size(span):
    return len(json.dumps(span, separators=(",", ":")))


def export_url(given):
    names = ("endpoint", "agent_id", "tenant_id", "use_s2s_endpoint")
    return {"result": utils.build_export_url(*(given[name] for name in names))}


def domain_override(given):
    os.environ.pop(DOMAIN, None)
    if given["env_value"] is not None:
        os.environ[DOMAIN] = given["env_value"]
    try:
        return {"result": utils.get_validated_domain_override()}
    finally:
        os.environ.pop(DOMAIN, None)


def retry_after(given):
    now = datetime.fromisoformat(given["now"])
    return {"result": shown(utils.parse_retry_after(dict(given["headers"]), lambda: now))}


def cooldown(given):
    """The gate's clock stands at zero, so that it is blocked until the end of the last pause."""
    gate, asked = TransmissionGate(lambda: 0.0, lambda: given["random"]), given["retry_after"]
    for _ in range(given["failures"]):
        gate.record_retryable_failure("key", None)
    gate.record_retryable_failure("key", float(asked) if isinstance(asked, str) else asked)
    return {"result": gate._states["key"].blocked_until}


def shown(number):
    """JSON has no word for what is not finite."""
    return str(number) if isinstance(number, float) and number - number != 0 else number


def span_of(given):
    """The span as the exporter has it: what is long comes last."""
    text = lambda value: plain(value) if isinstance(value, dict) else value
    attributes = lambda pairs: pairs if pairs is None else {key: plain(value) for key, value in pairs}
    span = {key: value for key, value in given.items() if key not in ("attributes", "events")}
    span["name"] = text(given.get("name"))
    if "attributes" in given:
        span["attributes"] = attributes(given["attributes"])
    if "events" in given:
        events = given["events"]
        span["events"] = events and [{**event, "attributes": attributes(event.get("attributes"))} for event in events]
    return span


FUNCTIONS = {
    "estimate_value_bytes": estimate_value,
    "estimate_span_bytes": estimate_span,
    "chunk_by_size": chunks,
    "truncate_span": truncate,
    "build_export_url": export_url,
    "get_validated_domain_override": domain_override,
    "parse_retry_after": retry_after,
    "cooldown_seconds": cooldown,
}
