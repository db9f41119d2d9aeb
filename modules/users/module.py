"""The module's table of contents."""

from modules.kernel.module import Module, Service, answer
from modules.users import handlers, routes, tables
from modules.users.opened import open_resources, tidy
from modules.users.settings import UsersSettings
from shared_contracts.users import CreateUser, GetPersonStanding, GetVerificationKeys, VerifyApiKey

module = Module(
    name="users",
    tables=tables.metadata,
    routes=routes.table,
    handlers=(
        answer(GetVerificationKeys, handlers.get_verification_keys),
        answer(VerifyApiKey, handlers.verify_api_key),
        answer(GetPersonStanding, handlers.get_person_standing),
        answer(CreateUser, handlers.create_user),
    ),
    services=(Service("tidy", tidy),),
    resources=open_resources,
    settings=UsersSettings,
)
