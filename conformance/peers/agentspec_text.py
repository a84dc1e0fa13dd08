"""Writes documents as JSON and YAML, as people do."""

import json

import yaml

ODD_SCALARS = (
    "yes No on OFF y n ~ null Null 012 08 0o14 0x1F 0b101 1:30 1_000 +12 1e3 1.5e3 1.5e+3 .5 1. .inf -.INF .nan 26.3 "
    "26.3.1 2001-12-14 2001-12-14T21:59:43Z a#b -x ?x :x a:b @x %x 'it''s' !!str !!int "
    '"a\\u0041" "\\ud83d\\ude00" "\\ud83d"'
).split() + [
    "",
    "a: b",
    "a # b",
    "- a",
    "[a, b]",
    "{a: b}",
    "{{x}}",
    '"{{x}}"',
    "|\n    a\n    b",
    ">-\n    a\n    b",
    "!!str 1",
    "!x y",
    "!!int '012'",
    "'multi\n  line'",
    "\ttab",
    "'open",
    "&a x",
    "*a",
    "a\tb",
    "a\u2028b",
    "a\u0007",
    "<<",
    "=",
]
FRAGMENTS = [
    "\t",
    " ",
    "\n",
    "\r\n",
    ":",
    "- ",
    "? ",
    " #",
    '"',
    "'",
    "|",
    ">",
    "&a ",
    "*a",
    "!",
    "{",
    "}",
    "[",
    "]",
    ",",
    "%",
    "@",
    "---\n",
    "...\n",
    "<<: {name: merged}\n",
    "\u0085",
    "\u2028",
    "\ufeff",
    "\x07",
    "é",
    "\\",
    "a: 1\n",
    "{a: b}",
    "%YAML 1.1\n---\n",
    "# c\n",
]


class Writer:
    """Writes a tree as text, and sometimes with what goes wrong in texts."""

    def __init__(self, random):
        self.random = random

    def json(self, tree):
        text = json.dumps(tree, ensure_ascii=self.random.random() < 0.5, indent=self.random.choice([None, None, 1, 4]))
        kind = self.random.choice(["plain"] * 6 + ["repeated", "python", "broken"])
        if kind == "repeated":
            at = self.random.choice([at for at, c in enumerate(text) if c == "{"])
            text = text[: at + 1] + '"id": "first", "x": [{"a": 1, "a": 2}], ' + text[at + 1 :]
            text = text.replace(", }", "}")
        elif kind == "python":
            last = text.rindex("}")
            odd = self.random.choice(["NaN", "Infinity", "-Infinity", "1e400", r'"\udc00tail"', r'"\ud83d\ude00"'])
            text = text[:last] + ', "metadata": {"odd": %s}' % odd + text[last:]
        elif kind == "broken":
            text = self.broken(text, ["", ",", "}", "]", '"', "\\", ":", "//", "\ufeff", "\x00", "NaN", "'", "\t"])
        return kind, text

    def yaml(self, tree):
        text = yaml.dump(
            tree,
            Dumper=self.random.choice([yaml.SafeDumper, NoAliases]),
            sort_keys=self.random.random() < 0.3,
            allow_unicode=self.random.random() < 0.5,
            width=self.random.choice([20, 80, 10_000]),
            default_flow_style=self.random.choice([False, False, False, None, True]),
            explicit_start=self.random.random() < 0.1,
            explicit_end=self.random.random() < 0.1,
        )
        if self.random.random() < 0.1:
            text = json.dumps(tree, indent=self.random.choice([None, 1]))
        kind = self.random.choice(["plain"] * 4 + ["scalar", "scalar", "broken", "metadata"])
        if kind == "scalar":
            lines = text.split("\n")
            spots = [
                at for at, line in enumerate(lines) if ": " in line and not line.rstrip().endswith((":", "|", ">"))
            ]
            if spots:
                at = self.random.choice(spots)
                lines[at] = lines[at].split(": ", 1)[0] + ": " + self.random.choice(ODD_SCALARS)
            text = "\n".join(lines)
        elif kind == "metadata" and not text.startswith("{"):
            text = "metadata:\n  odd: %s\n" % self.random.choice(ODD_SCALARS) + text
        elif kind == "broken":
            text = self.broken(text, FRAGMENTS)
        return kind, text

    def broken(self, text, fragments):
        for _ in range(self.random.choice([1, 1, 2])):
            at = self.random.randrange(len(text) + 1)
            cut = at + self.random.choice([0, 0, 0, 1, 5])
            text = text[:at] + self.random.choice(fragments) + text[cut:]
        return text


class NoAliases(yaml.SafeDumper):
    """Writes every object out."""

    def ignore_aliases(self, data):
        return True
