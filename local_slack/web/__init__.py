"""The Web API under /api/: one module a family of methods."""
