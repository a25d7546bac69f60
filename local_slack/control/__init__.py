"""The control API and the page's own routes: acting as people, and looking at what they see."""
