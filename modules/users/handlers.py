"""Messages in, answers out."""

from modules.kernel.work import Work
from modules.users import api_keys, people, signing
from shared_contracts.users import (
    ApiKeyVerified,
    CreateUser,
    GetPersonStanding,
    GetVerificationKeys,
    PersonStanding,
    UserCreated,
    VerificationKeys,
    VerifyApiKey,
)


async def get_verification_keys(_: GetVerificationKeys, work: Work) -> VerificationKeys:
    """Tell the public keys; reads only, so that repeating it does no harm."""
    return VerificationKeys(keys=tuple(key.public for key in await signing.public_keys(work)))


async def verify_api_key(request: VerifyApiKey, work: Work) -> ApiKeyVerified:
    """Tell whose key it is; repeating it writes the time of its last use at most once a minute."""
    return await api_keys.verify(work, request.key_hash)


async def get_person_standing(request: GetPersonStanding, work: Work) -> PersonStanding:
    """Tell what a person is now; reads only, so that repeating it does no harm."""
    return await people.standing(work, request.user_id)


async def create_user(request: CreateUser, work: Work) -> UserCreated:
    """Make an account; repeated, it finds the email address taken and changes nothing."""
    return await people.create_once(work, request)
