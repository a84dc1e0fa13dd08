"""Changes documents in ways that people get wrong, or find useful."""

import json

from agentspec_tree import all_components, all_lists, all_references, deep, is_component, places

KNOWN_VERSIONS = ["25.4.1", "25.4.2", "26.1.0", "26.1.2", "26.3.1"]


def secret_of(kind):
    return {"OpenAiConfig": "api_key", "VllmConfig": "ca_file", "RemoteTool": "sensitive_headers"}.get(kind)


class Changer:
    """Changes a document in one of the ways in which people write what they did not mean, or meant."""

    def __init__(self, maker):
        self.maker = maker
        self.random = maker.random
        self.given = {}

    def change(self, tree):
        name = self.random.choice([name for name in dir(self) if name.startswith("with_")])
        changed = getattr(self, name)(tree)
        return name[5:], tree if changed is None else changed

    def some(self, found):
        return self.random.choice(found) if found else None

    def with_a_missing_reference(self, tree):
        reference = self.some(all_references(tree))
        if reference:
            reference["$component_ref"] = self.random.choice(["gone", "", "é", "a.b"])

    def with_missing_references_anywhere(self, tree):
        component = self.some(all_components(tree))
        if component is None:
            return
        spot = self.random.choice(["metadata", "inputs", "x", "unused"])
        reference = {"$component_ref": f"gone in {spot}"}
        if spot == "unused":
            tree.setdefault("$referenced_components", {})["unused"] = {
                "component_type": "ServerTool",
                "x": [reference],
            }
        else:
            component[spot] = [{"title": "q", "default": reference}] if spot == "inputs" else {"a": [{"b": reference}]}

    def with_one_id_on_two_levels(self, tree):
        component, owner = self.some(all_components(tree)), self.some(all_lists(tree))
        if component and owner:
            identifier = self.some(list(owner["$referenced_components"]))
            listed = component.setdefault("$referenced_components", {})
            if identifier is not None and component is not owner:
                listed[identifier] = deep(owner["$referenced_components"][identifier])

    def with_a_circle(self, tree):
        owner = self.some(all_lists(tree))
        if not owner:
            return
        identifier = self.some(list(owner["$referenced_components"]))
        entry = owner["$referenced_components"][identifier]
        spots = [(holder, key) for holder, key, _ in places(entry)]
        if spots:
            holder, key = self.random.choice(spots)
            holder[key] = {"$component_ref": identifier}
        else:
            owner["$referenced_components"][identifier] = {"$component_ref": identifier}

    def with_a_reference_as_root(self, tree):
        return {"$component_ref": "the root", "$referenced_components": {"the root": tree}}

    def with_a_chain_of_references(self, tree):
        owner = self.some(all_lists(tree))
        if not owner:
            return
        listed = owner["$referenced_components"]
        identifier = self.some(list(listed))
        for number in range(self.random.randrange(1, 4)):
            listed[f"{identifier} {number}"] = listed[identifier]
            listed[identifier] = {"$component_ref": f"{identifier} {number}"}

    def with_values_given(self, tree):
        component = self.some(all_components(tree))
        if component is None:
            return
        texts = [
            key for key, value in component.items() if isinstance(value, str) and key not in ("component_type", "id")
        ]
        key = self.some(texts)
        if key is None:
            return
        identifier = f"v.{key}"
        self.given.setdefault("values", {})[identifier] = component[key]
        component[key] = {"$component_ref": identifier}

    def with_values_inside_given(self, tree):
        component = self.some(all_components(tree))
        if component is None:
            return
        self.given.setdefault("values", {})["v.2"] = self.random.choice(["text", "{{w}}"])
        reference = {"$component_ref": "v.2"}
        member, value = self.random.choice(
            [
                ("metadata", {"a": reference}),
                ("metadata", {"a": {"b": reference}}),
                ("metadata", reference),
                ("headers", {"a": reference}),
                ("env", {"A": reference}),
                ("args", [reference]),
                ("data", {"a": reference}),
                ("url_allow_list", [reference]),
                ("unknown", reference),
                ("default_generation_parameters", {"user": reference}),
                ("query_params", {"a": reference}),
            ]
        )
        component[member] = value

    def with_values_missing(self, tree):
        self.with_values_given(tree)
        self.given.pop("values", None)

    def with_components_given(self, tree):
        owner = self.some(all_lists(tree))
        if not owner:
            return
        listed = owner["$referenced_components"]
        identifier = self.some(list(listed))
        component = listed[identifier] if self.random.random() < 0.3 else listed.pop(identifier)
        if not is_component(component) or all_references(component):
            listed[identifier] = component
            return
        text = json.dumps({**component, "agentspec_version": "26.3.1"})
        if self.random.random() < 0.5:
            self.given.setdefault("components", {})[identifier] = text
        else:
            listing = json.dumps({"$referenced_components": {identifier: component}})
            self.given.setdefault("listings", []).append(listing)

    def with_a_version(self, tree):
        tree[self.random.choice(["agentspec_version", "agentspec_version", "air_version"])] = self.random.choice(
            [
                *KNOWN_VERSIONS,
                "25.3.0",
                "25.3.1",
                "25.4.0",
                "26.2.0",
                "20.99.99",
                "26.3",
                "",
                "current_version",
                26,
                26.3,
                None,
                True,
            ]
        )

    def with_a_version_inside(self, tree):
        component = self.some(all_components(tree))
        if component is not None and component is not tree:
            component["agentspec_version"] = "1.2.3"

    def with_unknown_members(self, tree):
        component = self.some(all_components(tree))
        if component is not None:
            component["x"] = self.random.choice(
                [1, {"a": [None]}, self.maker.tool(), [self.maker.llm()], {"a": self.maker.llm()}]
            )

    def without_a_class(self, tree):
        inner = [component for component in all_components(tree) if component is not tree]
        component = self.some(inner)
        if component:
            del component["component_type"]

    with_no_class = without_a_class

    def with_another_class(self, tree):
        spot = self.some(list(places(tree)))
        if spot:
            holder, key, _ = spot
            holder[key] = self.random.choice([self.maker.tool, self.maker.llm, self.maker.transport])()

    def with_something_else(self, tree):
        spot = self.some(list(places(tree)))
        if spot:
            holder, key, _ = spot
            holder[key] = self.random.choice([None, "text", 5, [], {}, True])

    def with_members_left_out(self, tree):
        component = self.some(all_components(tree))
        if component is not None:
            component.pop(self.some(list(component)), None)

    def with_members_of_other_types(self, tree):
        component = self.some(all_components(tree))
        if component is not None:
            component[self.some(list(component))] = self.random.choice([None, 5, "text", [], {}, True, 1.5])

    def with_a_class_of_nobody(self, tree):
        component = self.some(all_components(tree))
        if component is not None:
            component["component_type"] = self.random.choice(["AcmeNode", "agent", "", "Tool", "Component"])

    def with_references_to_secrets(self, tree):
        holders = [component for component in all_components(tree) if secret_of(component["component_type"])]
        component = self.some(holders)
        if component:
            member = secret_of(component["component_type"])
            identifier = f"{component.get('id')}.{member}"
            component[member] = {"$component_ref": identifier}
            if self.random.random() < 0.3:
                self.given.setdefault("values", {})[identifier] = self.random.choice(["s3", {"A": "s3"}])

    def with_members_in_another_order(self, tree):
        for component in all_components(tree):
            items = list(component.items())
            self.random.shuffle(items)
            component.clear()
            component.update(items)

    def with_a_list_further_inside(self, tree):
        for owner in all_lists(tree):
            listed = owner["$referenced_components"]
            inner = [component for component in all_components(owner) if component is not owner]
            component = self.some(inner)
            identifier = self.some(list(listed))
            if component is not None and identifier is not None:
                component.setdefault("$referenced_components", {})[identifier] = listed.pop(identifier)
                return

    def with_nothing_changed(self, tree):
        pass
