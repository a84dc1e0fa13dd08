"""The typed values of the vectors."""


def plain(typed):
    """The value of a typed value of the vectors."""
    ((kind, value),) = typed.items()
    if kind == "string_repeat":
        return value["unit"] * value["count"]
    if kind in ("double", "double_array"):
        return [float(item) for item in value] if isinstance(value, list) else float(value)
    if kind == "null":
        return None
    if kind == "bigint":
        return int(value)
    if kind == "array":
        return [plain(item) for item in value]
    if kind == "map":
        return {key: plain(item) for key, item in value}
    return value
