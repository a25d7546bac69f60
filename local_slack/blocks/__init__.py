"""Block Kit as Slack enforces it: what may stand where, how long it may be, and what a person can act on."""
