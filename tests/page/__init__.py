"""The local Slack's page, in a real browser against the real server."""
