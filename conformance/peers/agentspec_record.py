"""What the reference package makes of an Agent Spec document, in the form of `agentspec_documents.json`."""

import ast
import base64
import datetime
import hashlib
import json
import math
import re
import warnings

import yaml
from pyagentspec.agent import Agent
from pyagentspec.component import Component, ComponentWithIO
from pyagentspec.flows.flow import Flow
from pyagentspec.flows.node import Node
from pyagentspec.llms import LlmConfig
from pyagentspec.managerworkers import ManagerWorkers
from pyagentspec.serialization import AgentSpecDeserializer
from pyagentspec.swarm import Swarm
from pyagentspec.tools import Tool
from pyagentspec.tracing._basemodel import _TracingSerializationContextImpl
from pydantic import ValidationError

warnings.simplefilter("ignore")

STANDS_IN = [
    (Agent, "AgentExecutionSpan.agent"),
    (Flow, "FlowExecutionSpan.flow"),
    (Node, "NodeExecutionSpan.node"),
    (Tool, "ToolExecutionSpan.tool"),
    (LlmConfig, "LlmGenerationSpan.llm_config"),
    (ManagerWorkers, "ManagerWorkersExecutionSpan.managerworkers"),
    (Swarm, "SwarmExecutionSpan.swarm"),
]

MOST_NESTED = 200
# The order of inputs that come from a set is in a hash, and comes from nowhere else.
LONGEST_DUMP = 200_000
# Beyond that, a dump takes the reference longer than anybody waits.
MOST_DUMPED = 20_000
MADE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def record(case):
    """Adds what the reference did to a case that has an input."""
    given_input = case["input"]
    flags = set(case.get("flags", ()))
    try:
        registry = registry_of(given_input.get("given") or {})
    except Exception:  # noqa: BLE001
        registry = {}
        del given_input["given"]
    try:
        case["expected"] = accepted(read(given_input, registry), given_input, flags)
    except Exception as error:  # noqa: BLE001
        case["expected"] = refused(error, given_input, flags)
    case["flags"] = sorted(flags)
    return case


def registry_of(given):
    """What a document may refer to. Later ones take precedence."""
    deserializer = AgentSpecDeserializer()
    registry = {}
    for listing in given.get("listings", ()):
        registry.update(
            deserializer.from_json(listing, components_registry=dict(registry), import_only_referenced_components=True)
        )
    for identifier, document in given.get("components", {}).items():
        registry[identifier] = deserializer.from_json(document, components_registry=dict(registry))
    registry.update(given.get("values", {}))
    return registry


def read(given_input, registry):
    deserializer = AgentSpecDeserializer()
    reads = deserializer.from_json if given_input["format"] == "json" else deserializer.from_yaml
    return reads(
        given_input["text"],
        components_registry=registry or None,
        import_only_referenced_components=given_input["call"] == "read_referenced",
    )


def accepted(result, given_input, flags):
    if given_input["call"] == "read":
        return {"accepted": True, "component": described(result, given_input, flags)}
    components = {identifier: described(component, given_input, flags) for identifier, component in result.items()}
    return {"accepted": True, "components": components}


def described(component, given_input, flags):
    if not isinstance(component, Component):
        return {"value": plain(component, flags)}
    names = Names(given_input["text"], flags)
    found = nested(component)
    description = {
        "component_type": type(component).__name__,
        "id": component.id,
        "name": component.name,
        "description": component.description,
    }
    dumped = {}
    if size(component, {}) <= MOST_DUMPED:
        try:
            dump = component.model_dump(context=_TracingSerializationContextImpl())
            masked = names.applied(plain(dump, flags))
            text = compact(masked)
            if len(text.encode()) <= LONGEST_DUMP:
                dumped["masked"] = masked
            else:
                flags.add("dump_too_large")
        except Exception as error:  # noqa: BLE001
            dumped["dump_error"] = type(error).__name__
    else:
        flags.add("dump_too_large")
    triples = sorted({(kind, names.applied(identifier), name) for kind, identifier, name in found})
    triples = [[plain(text, flags) for text in triple] for triple in triples]
    if len(triples) <= MOST_NESTED:
        description["nested"] = triples
    else:
        text = compact(triples)
        description["nested_sha256"] = sha256(text)
        description["nested_utf8_len"] = len(text.encode())
        description["nested_count"] = len(triples)
    if isinstance(component, ComponentWithIO):
        for side in ("inputs", "outputs"):
            schemas = [[p.title, plain(p.json_schema, flags)] for p in getattr(component, side)]
            description[side] = sorted(schemas, key=lambda pair: pair[0])
    description["stands_in"] = next((member for kind, member in STANDS_IN if isinstance(component, kind)), None)
    for name in ("id", "name", "description"):
        description[name] = plain(names.applied(description[name]), flags)
    return description | dumped


class Names:
    """Replaces the ids that the reference made up, which are in no text, in the order of the dump."""

    def __init__(self, text, flags):
        self.text = text
        self.flags = flags
        self.made = {}

    def applied(self, value):
        if isinstance(value, dict):
            return {self.applied(key): self.applied(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.applied(inner) for inner in value]
        if not isinstance(value, str):
            return value

        def name(match):
            if match.group() in self.text:
                return match.group()
            self.flags.add("made_ids")
            return self.made.setdefault(match.group(), f"<made {len(self.made) + 1}>")

        return MADE_ID.sub(name, value)


def children(value):
    if isinstance(value, Component):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from children(inner)
    elif isinstance(value, (list, tuple, set)):
        for inner in value:
            yield from children(inner)


def dumped_fields(component):
    for name, field in type(component).model_fields.items():
        if not field.exclude:
            yield getattr(component, name, None)


def nested(component):
    found, seen, rest = set(), set(), [component]
    while rest:
        for value in dumped_fields(rest.pop()):
            for child in children(value):
                if id(child) not in seen:
                    seen.add(id(child))
                    found.add((type(child).__name__, child.id, child.name))
                    rest.append(child)
    return found


def size(component, known):
    """How many components a dump writes out."""
    if id(component) not in known:
        known[id(component)] = 1 + sum(
            size(child, known) for value in dumped_fields(component) for child in children(value)
        )
    return known[id(component)]


def whole(text, flags):
    """Pairs of halves become characters, and halves without another U+FFFD."""
    if not any(0xD800 <= ord(c) < 0xE000 for c in text):
        return text
    flags.add("half_surrogate")
    pair = re.compile("[\ud800-\udbff][\udc00-\udfff]")
    joined = pair.sub(lambda halves: halves.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return re.sub("[\ud800-\udfff]", "\ufffd", joined)


def plain(value, flags):
    """A value in strict JSON."""
    if isinstance(value, str):
        return whole(value, flags)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if -(2**63) <= value < 2**64:
            return value
        flags.add("bigint_json")
        return {"$bigint": str(value)}
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        flags.add("not_json")
        name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return {"$nonfinite": name}
    if isinstance(value, dict):
        return {key_text(key, flags): plain(inner, flags) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, flags) for inner in value]
    flags.add("python_value")
    if isinstance(value, (set, frozenset)):
        return sorted((plain(inner, flags) for inner in value), key=str)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, Component):
        return plain(value.model_dump(context=_TracingSerializationContextImpl()), flags)
    return str(value)


def key_text(key, flags):
    if isinstance(key, str):
        return whole(key, flags)
    flags.add("key_no_string")
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    if isinstance(key, datetime.date):
        return key.isoformat()
    return str(key)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


# Messages of the reference, by what they mean. The first that is found counts.
MESSAGES = [
    (r"The following references to fields or components are missing", "missing_reference"),
    (r"to load a disaggregated configuration|To load a disaggregated configuration", "only_a_listing"),
    (r"should have the '\$referenced_components' field", "no_listing"),
    (r"Found extra fields on disaggregated components", "more_than_a_listing"),
    (r"(?P<value>.+) is not a valid AgentSpecVersionEnum", "unknown_version"),
    (r"The objects: '(?P<set>\{.*?\})' appear multiple times at different levels", "duplicate_id"),
    (r"Missing reference for ID: (?P<id>.*?)['\"]*$", "reference_not_yet_listed"),
    (r"Found a circular dependency during deserialization of object with id: '(?P<id>.*?)'", "cycle"),
    (r"Type mismatch when loading component with reference '(?P<id>.*?)'", "wrong_component_class"),
    (r"the minimum allowed version is", "version_too_low"),
    (r"the maximum allowed version is", "version_too_high"),
    (r"There is no plugin to load the component type (?P<value>.*)", "unknown_class"),
    (r"Missing property 'component_type'", "not_a_component"),
    (r"is meant to be abstract", "abstract_class"),
]


def refused(error, given_input, flags):
    reason = {"class": None}
    reason.update(reason_of(error, given_input, flags))
    reason["exception"] = type(error).__name__
    reason["message"] = whole(str(error), flags)[:300]
    return {"accepted": False, "reason": reason}


def reason_of(error, given_input, flags):
    if isinstance(error, json.JSONDecodeError):
        return {"class": "not_json", "line": error.lineno, "column": error.colno}
    if isinstance(error, yaml.YAMLError):
        return reason_of_yaml(error)
    if isinstance(error, RecursionError):
        flags.add("python_crash")
        return {"class": "too_deep"}
    if "Exceeds the limit" in str(error):
        return {"class": "number_too_long"}
    content = content_of(given_input)
    if content is None and given_input["format"] == "yaml":
        # A value that its tag does not fit.
        return {"class": "yaml_tag_or_alias"}
    if isinstance(error, ValidationError):
        return {"class": reason_of_pydantic(error.errors()[0]["type"])}
    for pattern, name in MESSAGES:
        match = re.search(pattern, str(error))
        if match:
            return {"class": name, **named(name, match, content, given_input, flags)}
    if isinstance(error, (TypeError, AttributeError, KeyError)):
        flags.add("message_lost" if "required in context" in str(error) else "python_crash")
        return {"class": "wrong_type"}
    return {"class": "invalid_value" if type(error).__name__ == "SchemaError" else "wrong_type"}


def named(name, match, content, given_input, flags):
    groups = match.groupdict()
    if name == "missing_reference":
        used, defined = AgentSpecDeserializer._recursively_get_all_references(content)
        given = registry_of(given_input.get("given") or {})
        missing = used - defined - set(given)
        if missing and all(is_secret(ref, content) for ref in missing):
            flags.add("secret_reference")
        return {"ids": sorted(key_text(ref, flags) for ref in missing)}
    if groups.get("set"):
        return {"ids": sorted(whole(str(ref), flags) for ref in ast.literal_eval(groups["set"]))}
    if groups.get("id") is not None:
        return {"ids": [whole(groups["id"], flags)]}
    if name == "unknown_version" and isinstance(version := version_of(content), datetime.date):
        return {"value": version.isoformat()}
    if groups.get("value"):
        return {"value": whole(groups["value"].strip(), flags)}
    return {}


def version_of(content):
    return content.get("agentspec_version", content.get("air_version"))


SECRETS = {
    "api_key",
    "auth_file_location",
    "ca_file",
    "cert_file",
    "client_id",
    "client_id_metadata_url",
    "client_secret",
    "credentials",
    "dsn",
    "key_file",
    "password",
    "sensitive_headers",
    "sslkey",
    "user",
    "wallet_location",
    "wallet_password",
}
HARMLESS = {("A2AConnectionConfig", "key_file"), ("A2AConnectionConfig", "cert_file")}


def is_secret(reference, content):
    """Whether a reference stands only in the place of secrets."""
    places = []

    def walk(value, around, member):
        if isinstance(value, dict):
            if value.get("$component_ref") == reference:
                kind = around.get("component_type") if isinstance(around, dict) else None
                is_class = isinstance(kind, str) and bool(kind)
                places.append(is_class and member in SECRETS and (kind, member) not in HARMLESS)
            for key, inner in value.items():
                walk(inner, value, key)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, None, None)

    walk(content, None, None)
    return bool(places) and all(places)


def content_of(given_input):
    try:
        if given_input["format"] == "json":
            return json.loads(given_input["text"])
        loaded = yaml.safe_load(given_input["text"])
        return {} if loaded is None else loaded
    except Exception:  # noqa: BLE001
        return None


def reason_of_yaml(error):
    mark = getattr(error, "problem_mark", None)
    place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
    if isinstance(error, yaml.composer.ComposerError):
        single = "single document" in str(error)
        return {"class": "several_documents" if single else "yaml_tag_or_alias", **place}
    if isinstance(error, yaml.constructor.ConstructorError):
        return {"class": "yaml_tag_or_alias", **place}
    return {"class": "not_yaml", **place}


def reason_of_pydantic(kind):
    if kind == "missing":
        return "missing_member"
    return "wrong_type" if kind.endswith("_type") else "invalid_value"
