"""Records vectors of `microsoft-opentelemetry` for `cargo xtask peers agent365 --profile v3`.

    agent365_v3_vectors.py SHIPPED OUT COUNT SEED

Plays each input of the vectors in SHIPPED to the package that is installed, and fails if an outcome is not the recorded one: what
we are held to is what the package does. Then plays COUNT inputs that are made from SEED for each file. Both are written to OUT, in
the form of the vectors, for `conformance` to run with its rules.
"""

import json
import logging
import sys
from importlib.metadata import version
from pathlib import Path

from agent365_v3_generate import Inputs
from agent365_v3_record import FILES

PACKAGE = "microsoft-opentelemetry"


def main(shipped, out, count, seed):
    # The package logs what goes wrong, and here much goes wrong on purpose.
    logging.disable(logging.CRITICAL)
    Path(out).mkdir(parents=True, exist_ok=True)
    differ = 0
    for file, record in FILES.items():
        vectors = json.loads(Path(shipped, f"{file}.json").read_text(encoding="utf-8"))
        cases = []
        for case in vectors["cases"]:
            expected = again(record(again(case["input"])))
            if expected != case["expected"]:
                differ += 1
                print(f"{file}: {case['name']}: the package does {json.dumps(expected)}, and not {json.dumps(case['expected'])}")
            cases.append({**case, "expected": expected})
        for number in range(int(count)):
            given = getattr(Inputs(f"{file} {seed} {number}"), file.removesuffix("_v3"))()
            cases.append({"name": f"seed {seed}/{number}", "input": given, "expected": again(record(again(given)))})
        written = {"reference": f"{PACKAGE}=={version(PACKAGE)}", "what": vectors["what"], "cases": cases}
        text = json.dumps(written, separators=(",", ":"))
        Path(out, f"{file}.json").write_text(text, encoding="utf-8")
        print(f"{file}: {len(vectors['cases'])} recorded inputs, and {count} from seed {seed}, played to {PACKAGE} {version(PACKAGE)}")
    return differ


def again(value):
    """A copy in JSON."""
    return json.loads(json.dumps(value))


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
