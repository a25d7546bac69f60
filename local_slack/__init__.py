"""A strict stand-in for Slack, for the demo and the tests. It imports nothing of the project."""
