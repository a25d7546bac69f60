"""The Slack front: listens to words and clicks, and draws what operations answer."""
