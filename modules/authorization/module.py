"""The module's table of contents."""

from modules.authorization import handlers, routes, tables
from modules.authorization.settings import AuthorizationSettings
from modules.kernel.module import Module, answer
from shared_contracts.authorization import JudgeToken

module = Module(
    name="authorization",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(answer(JudgeToken, handlers.judge_token),),
    settings=AuthorizationSettings,
)
