"""People: who they are, how they sign in, and the API keys that act for them.

Owns the schema `users`. Answers GetVerificationKeys, VerifyApiKey and CreateUser; publishes UserChanged; listens to
nothing.
"""

from modules.users.module import module

__all__ = ["module"]
