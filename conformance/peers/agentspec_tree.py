"""What is in a document, and how components in it are shared by references."""


def is_component(value):
    return isinstance(value, dict) and isinstance(value.get("component_type"), str)


def places(tree, around=()):
    """All places of components: the object or list, its key, and the components around, the nearest last."""
    inner = (*around, tree) if is_component(tree) else around
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        if key == "metadata":
            continue
        if is_component(value):
            yield tree, key, inner
        yield from places(value, inner)


def share(tree, random, probability):
    """Lists components and refers to them. One that stands in several places is listed, or it would be copied."""
    counts, listed = {}, {}
    for holder, key, around in places(tree):
        counts.setdefault(holder[key]["id"], []).append(around)
    for holder, key, around in list(places(tree)):
        component = holder.get(key) if isinstance(holder, dict) else holder[key]
        if not is_component(component):
            continue
        identifier = component["id"]
        many = len(counts.get(identifier, ())) > 1
        if identifier in listed or many or random.random() < probability:
            if identifier not in listed:
                common = [
                    candidate
                    for candidate in around
                    if all(any(candidate is other for other in path) for path in counts[identifier])
                ]
                owner = random.choice(common[-1:] if many else common) if common else tree
                listed[identifier] = (owner, component)
            holder[key] = {"$component_ref": identifier}
    for identifier, (owner, component) in listed.items():
        owner.setdefault("$referenced_components", {})[identifier] = component
    return tree


def all_references(tree):
    found = []
    if isinstance(tree, dict):
        if "$component_ref" in tree:
            found.append(tree)
        for value in tree.values():
            found += all_references(value)
    elif isinstance(tree, list):
        for value in tree:
            found += all_references(value)
    return found


def all_lists(tree):
    found = []
    if isinstance(tree, dict):
        listed = tree.get("$referenced_components")
        if listed and isinstance(listed, dict):
            found.append(tree)
        for value in tree.values():
            found += all_lists(value)
    elif isinstance(tree, list):
        for value in tree:
            found += all_lists(value)
    return found


def all_components(tree):
    return ([tree] if is_component(tree) else []) + [holder[key] for holder, key, _ in places(tree)]


def deep(tree):
    """A copy in which equal components are different objects."""
    if isinstance(tree, dict):
        return {key: deep(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [deep(value) for value in tree]
    return tree
