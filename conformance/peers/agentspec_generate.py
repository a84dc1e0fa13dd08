"""Generates Agent Spec documents: valid ones, and ones with something that people get wrong.

They are trees of plain objects first, in which references come to stand, which are changed, and become text last.
"""

from agentspec_change import Changer
from agentspec_components import Maker
from agentspec_text import Writer
from agentspec_tree import deep, share


def documents(random, number):
    """Cases with an input and nothing else."""
    for index in range(number):
        maker = Maker(random)
        changer = Changer(maker)
        tree = share(deep(maker.any()), random, random.choice([0, 0.2, 0.6, 1]))
        names = []
        if random.random() < 0.9:
            tree.setdefault("agentspec_version", "26.3.1")
        for _ in range(random.choice([0, 1, 1, 1, 2])):
            name, tree = changer.change(tree)
            names.append(name)
        call = "read"
        if random.random() < 0.08:
            call = "read_referenced"
            entries = {"first": tree, "second": maker.tool()}
            if random.random() < 0.5:
                entries["third"] = maker.component(
                    "AgentNode", "node", agent={"$component_ref": random.choice(["first", "gone"])}
                )
            tree = {"$referenced_components": entries}
            if random.random() < 0.2:
                tree["agentspec_version"] = "26.3.1"
        format_ = random.choice(["json", "yaml"])
        kind, text = getattr(Writer(random), format_)(tree)
        given_input = {"text": text, "format": format_, "call": call}
        if changer.given:
            given_input["given"] = changer.given
        name = "+".join([*names, kind] if names else [kind])
        yield {"name": f"{format_}/{index}/{name}", "class": name, "input": given_input}
