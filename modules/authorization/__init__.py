"""Who may charge: id tokens (cards, codes, contracts), and the verdict on one that a station or a person presents.

Owns the schema `authz`. Answers JudgeToken; publishes IdTokenChanged; listens to UserChanged, since tokens may
belong to a person.
"""

from modules.authorization.module import module

__all__ = ["module"]
