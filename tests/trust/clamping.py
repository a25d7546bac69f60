"""A function to make mutants of."""


def clamp(value: int, top: int) -> int:
    if value > top:
        return top
    return value
