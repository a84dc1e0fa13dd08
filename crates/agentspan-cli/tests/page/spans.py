"""Traces for the page: a run with everything in it, an earlier one, a hostile one, and very many spans."""

import hashlib
import json
import random
import urllib.request

START = 1795858867204  # 2026-11-28 09:41:07 UTC, in milliseconds
TENANT, AGENT = "3f6d1c0e-8a52-4be7-9d14-5b1f2a77c0e1", "a0000000-0000-0000-0000-00000000000a"
SYSTEM = "You are Trip Planner, the travel assistant of Contoso.\nPlan trips that respect the budget and the travel policy (v7).\n\n1. Always check live availability before you name a price.\n2. Never book without a confirmation.\n3. When a supplier fails, say so plainly and offer the best alternative."
ASK = "Three days in Lisbon from Friday, flying from Zürich. Direct flights, a quiet hotel near the river, at most 900 € in all."
ANSWER = "Here is a plan that stays at 861 €.\n\n• Flights: LX 2084 Fri 07:15 → 09:20, LX 2087 Sun 19:05 → 23:00. 318 €, direct.\n• Hotel: the live hotel rates did not answer, so I asked our hotel specialist. Casa do Cais, two nights, river side, 246 € in all.\n• Weather: 17 to 19 °C, a little rain on Saturday.\n\nShall I hold the flights for 24 hours?"
EARLIER = "Here is a plan that stays at 874 €.\n\n• Flights: LX 2084 Fri 07:15 → 09:20, LX 2087 Sun 19:05 → 23:00. 318 €, direct.\n• Hotel: Memmo Alfama, two nights, river view, 289 € in all.\n• Weather: 17 to 19 °C, a little rain on Saturday.\n\nShall I hold the flights for 24 hours?"
HOSTILE = '<img src=x onerror="window.hacked=1"></script><script>window.hacked=2</script><svg onload="window.hacked=3">\u202e'


def value(of):
    if isinstance(of, bool):
        return {"boolValue": of}
    if isinstance(of, int):
        return {"intValue": str(of)}
    return {"doubleValue": of} if isinstance(of, float) else {"stringValue": of if isinstance(of, str) else json.dumps(of, ensure_ascii=False)}


def attributes(of):
    return [{"key": key, "value": value(one)} for key, one in of.items()]


class Trace:
    def __init__(self, number, at, agent="Trip Planner", tenant=TENANT):
        self.id, self.at, self.agent, self.tenant, self.spans = hashlib.md5(str(number).encode()).hexdigest(), at, agent, tenant, []

    def add(self, parent, operation, name, start, end, more=None, error=None, events=(), agent=None, plain=False):
        """A span; its times are milliseconds from the start of the trace. A plain one belongs to no agent."""
        of = {} if plain else {"gen_ai.operation.name": operation, "microsoft.tenant.id": self.tenant, "gen_ai.agent.id": AGENT,
                               "gen_ai.agent.name": agent or self.agent, "gen_ai.conversation.id": "conv-7f21"}
        at = lambda time: str(int((self.at + time) * 1_000_000))
        span = {"traceId": self.id, "spanId": f"{int(self.id, 16) % 65521:04x}{len(self.spans) + 1:012x}", "name": name, "kind": 3,
                "startTimeUnixNano": at(start), **({"endTimeUnixNano": at(end)} if end is not None else {}),
                **({"parentSpanId": parent["spanId"]} if parent else {}), "attributes": attributes({**of, **({"error.type": error[0]} if error else {}), **(more or {})}),
                "events": [{"name": event, "timeUnixNano": at(time), "attributes": attributes(about)} for event, time, about in events],
                "status": {"code": 2, "message": error[1]} if error else {}}
        self.spans.append(span)
        return span

    def body(self, spans=None):
        return {"resourceSpans": [{"resource": {"attributes": attributes({"service.name": "trips", "service.version": "7.2"})},
                                   "scopeSpans": [{"scope": {"name": "trips.agent", "version": "1"}, "spans": self.spans if spans is None else spans}]}]}

    def send(self, address, spans=None):
        post(address, self.body(spans))


def post(address, body):
    request = urllib.request.Request(address + "v1/traces", json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).read()


def message(role, *parts, **more):
    return {"role": role, "parts": [{"type": "text", "content": part} if isinstance(part, str) else part for part in parts], **more}


def call(id, name, arguments):
    return {"type": "tool_call", "id": id, "name": name, "arguments": arguments}


def result(id, response):
    return {"type": "tool_call_response", "id": id, "response": response}


def model(name, read, written, messages, output, **more):
    return {"gen_ai.request.model": name, "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": read, "gen_ai.usage.output_tokens": written,
            "gen_ai.input.messages": messages, "gen_ai.output.messages": output, **more}


def tool(name, id, arguments, answer):
    return {"gen_ai.tool.name": name, **({"gen_ai.tool.call.id": id} if id else {}), "gen_ai.tool.type": "function", "gen_ai.tool.call.arguments": arguments,
            **({"gen_ai.tool.call.result": answer} if answer is not None else {})}


def chunks(first, last, text, number):
    """The pieces of a streamed answer."""
    chance, size = random.Random(number), -(-len(text) // number)
    times = sorted(first + (last - first) * (at + chance.random() * 0.5) / number for at in range(number))
    return [("LlmGenerationChunkReceived", time, {"agentspec.content": text[at * size:(at + 1) * size]}) for at, time in enumerate(times)]


def trip(number, at, earlier=False):
    """Somebody plans a trip. In the later run the tool for hotels fails, and a specialist is asked."""
    trace, most, answer = Trace(number, at), 500 if earlier else 420, EARLIER if earlier else ANSWER
    flights, weather, hotel = {"from": "ZRH", "to": "LIS", "depart": "2026-12-04", "return": "2026-12-06", "direct": True}, {"city": "Lisbon", "days": 3}, {"city": "Lisbon", "area": "river", "nights": 2, "max_eur": most}
    offers = {"count": 12, "offers": [{"flight": f"LX {2080 + at}", "fare": {"amount": 129 + at, "currency": "EUR"}, "seats": 4} for at in range(12)]}
    days = {"days": [{"date": f"2026-12-0{4 + at}", "high": 19 - at, "rain": 0.1} for at in range(3)]}
    calls = [call("call_1", "search_flights", flights), call("call_2", "weather_forecast", weather), call("call_3", "hotel_rates", hotel)]
    root = trace.add(None, "invoke_agent", "invoke_agent Trip Planner", 0, 6212 if earlier else 8420, {"gen_ai.input.messages": [message("user", ASK)], "gen_ai.output.messages": [message("assistant", answer, finish_reason="stop")]})
    decided = lambda how: {"microsoft.security.decision.type": how}
    cost = lambda of: {"gen_ai.usage.cost": of}
    trace.add(root, "apply_guardrail", "apply_guardrail prompt_shield", 14, 100, decided("allow"))
    first, said = [message("system", SYSTEM), message("user", ASK)], "I will look up flights, hotels and the weather first."
    second = message("assistant", said, *calls, finish_reason="tool_calls")
    trace.add(root, "chat" if earlier else "Chat", "chat gpt-4.1", 118, 1742, model("gpt-4.1", 1284, 96, first, [second], **cost(0.003336)), events=chunks(528, 1740, said, 22))
    search = trace.add(root, "execute_tool", "execute_tool search_flights", 1760, 2968, tool("search_flights", "call_1", flights, offers))
    trace.add(search, "", "GET /v2/offers", 1778, 2931, {"http.request.method": "GET", "server.address": "offers.example"}, plain=True)
    trace.add(root, "execute_tool", "execute_tool weather_forecast", 1764, 2144, tool("weather_forecast", "call_2", weather, days))
    if earlier:
        found = {"hotel": "Memmo Alfama", "total_eur": 289, "view": "river"}
        rates = trace.add(root, "execute_tool", "execute_tool hotel_rates", 1768, 3158, tool("hotel_rates", "call_3", hotel, found))
        trace.add(rates, "", "POST /rates", 1772, 3140, plain=True)
        told, late = message("tool", result("call_3", found)), 3200
    else:
        why = "rates.example did not answer within 2 s (attempt 2 of 2)"
        events = [("retry", 2790, {"attempt": 2, "reason": "timeout"}), ("exception", 3808, {"exception.type": "TimeoutError", "exception.message": why})]
        rates = trace.add(root, "execute_tool", "execute_tool hotel_rates", 1768, 3812, tool("hotel_rates", "", hotel, None), ("TimeoutError", why), events)
        trace.add(rates, "", "POST /rates", 1772, 2776, plain=True)
        trace.add(rates, "", "POST /rates", 2794, 3806, plain=True)
        flow = trace.add(root, "invoke_workflow", "invoke_workflow rebook_hotel", 3830, 6140, {"gen_ai.agent.id": ""})
        specialist = trace.add(flow, "invoke_agent", "invoke_agent Hotel Specialist", 3872, 6110, agent="Hotel Specialist")
        mask = "** MASKED **"
        trace.add(specialist, "chat", "chat gpt-4.1-mini", 3884, 5420, model("gpt-4.1-mini", 2210, 148, mask, mask, **cost(0.00112)), events=chunks(4400, 5400, "x" * 90, 18), agent="Hotel Specialist")
        trace.add(specialist, "execute_tool", "execute_tool hotel_index", 5402, 5722, tool("hotel_index", "call_9", mask, mask), agent="Hotel Specialist")
        trace.add(specialist, "chat", "chat gpt-4.1-mini", 5736, 6104, model("gpt-4.1-mini", 2402, 61, mask, mask), agent="Hotel Specialist")
        told, late = message("tool", result("call_3", {"error": why})), 6160
    results = [message("tool", result("call_1", offers), result("call_2", days)), told]
    end = late + (2800 if earlier else 2110)
    trace.add(root, "chat", "chat gpt-4.1", late, end, model("gpt-4.1", 3310 if earlier else 3906, 168 if earlier else 214, [*first, second, *results], [message("assistant", answer, finish_reason="stop")], **cost(0.007964 if earlier else 0.009524)), events=chunks(late + 640, end - 4, answer, 64))
    trace.add(root, "apply_guardrail", "apply_guardrail pii_output_filter", end + 12, end + 53, decided("modify"))
    return trace


def hostile(number, at):
    """Every text that a sender controls tries to become markup."""
    trace = Trace(number, at, HOSTILE, HOSTILE)
    said = [{"role": HOSTILE, "parts": [{"type": "text", "content": HOSTILE}, call(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}), {"type": HOSTILE, "uri": "https://evil.example/x.png"}]}]
    root = trace.add(None, "invoke_agent", HOSTILE, 0, 900, {"gen_ai.input.messages": said, "gen_ai.output.messages": said, HOSTILE: HOSTILE}, (HOSTILE, HOSTILE), [(HOSTILE, 5, {HOSTILE: HOSTILE})])
    trace.add(root, "chat", HOSTILE, 10, 800, model(HOSTILE, 1, 1, said, said), (HOSTILE, HOSTILE))
    trace.add(root, "execute_tool", HOSTILE, 20, 700, tool(HOSTILE, HOSTILE, {"html": HOSTILE}, HOSTILE))
    return trace


def many(number, at, spans):
    """An agent with workers, calls and tools: so many spans."""
    trace, chance = Trace(number, at, "Inbox Triage"), random.Random(7)
    root = trace.add(None, "invoke_agent", "invoke_agent Inbox Triage", 0, 515_000)
    while len(trace.spans) < spans:
        start = chance.random() * 400_000
        worker = trace.add(root, "invoke_agent", f"invoke_agent Mail Worker {len(trace.spans)}", start, start + 90_000)
        for at in range(min(24, spans - len(trace.spans))):
            begin = start + at * 3_000
            if at % 2:
                failure = ("UpstreamError", "503 from the mail store") if chance.random() < 0.004 else None
                trace.add(worker, "execute_tool", "execute_tool read_mail", begin, begin + 900, {"gen_ai.tool.name": "read_mail", "gen_ai.tool.call.id": f"c{at}"}, failure)
            else:
                trace.add(worker, "chat", "chat gpt-4.1-mini", begin, begin + 2_400, {"gen_ai.request.model": "gpt-4.1-mini", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": 40})
    return trace
