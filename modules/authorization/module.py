"""The module's table of contents."""

from modules.authorization import handlers, routes, tables
from modules.authorization.settings import AuthorizationSettings
from modules.kernel.module import Module, answer, handle
from shared_contracts.authorization import JudgeToken
from shared_contracts.users import UserChanged

module = Module(
    name="authorization",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(answer(JudgeToken, handlers.judge_token), handle(UserChanged, handlers.follow_user)),
    settings=AuthorizationSettings,
)
