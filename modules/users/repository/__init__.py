"""Every query on the schema `users`: people, their sessions, their API keys, and the signing keys."""
