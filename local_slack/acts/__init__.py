"""What people do, one module an act: the payload that reaches the app, and what the person sees of the answer."""
