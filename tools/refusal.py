"""What a person is told when a command can't go on."""


class Refusal(Exception):
    """One clear sentence that ends with what to do; the command's exit code is 2."""
