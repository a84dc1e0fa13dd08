"""Generates Agent Spec documents and records what the reference package makes of them.

    agentspec.py FILE NUMBER SEED

The file has the form of the vectors `agentspec_documents.json`, and `conformance` runs it against agentspan.
"""

import json
import platform
import random
import sys
from importlib.metadata import version

from agentspec_generate import documents
from agentspec_record import record


def main():
    path, number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sys.setrecursionlimit(1000)
    cases = [record(case) for case in documents(random.Random(seed), number)]
    packages = ["pyagentspec", "pydantic", "PyYAML", "jsonschema"]
    head = {
        "reference": f"pyagentspec=={version('pyagentspec')}",
        "what": f"{number} generated documents, seed {seed}",
        "generated_with": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "cases": cases,
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(head, file)
    accepted = sum(case["expected"]["accepted"] for case in cases)
    print(f"{len(cases)} documents of seed {seed}: the reference reads {accepted} and refuses {len(cases) - accepted}")


if __name__ == "__main__":
    main()
