"""The shell: the same operations as in Slack, for the nights when Slack is down too."""
