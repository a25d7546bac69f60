"""Looking by itself, every few seconds: from readings to troubles, and from troubles to alerts. Knows no Slack."""
