"""Block Kit out of results. Pure: no I/O, no clock but the one handed in."""
