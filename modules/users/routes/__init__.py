"""The API of people, their sessions and their API keys.

POSTs that take or make a secret do not honour Idempotency-Key: remembering their answers would store it.
"""

from modules.users.routes import api_keys, people, sessions

table = (*sessions.table, *people.table, *api_keys.table)

__all__ = ["table"]
