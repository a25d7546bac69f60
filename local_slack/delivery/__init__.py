"""How payloads reach the app: over Socket Mode or HTTP, with three seconds to acknowledge."""
