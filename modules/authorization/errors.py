"""What can go wrong with id tokens, as a client sees it."""

from modules.kernel.errors import Conflict, NotFound


class IdTokenNotFound(NotFound):
    """No id token has this id."""

    code = "id_token_not_found"
    title = "There is no such id token"

    def __init__(self, token_id: str) -> None:
        super().__init__(token_id=token_id)


class IdTokenExists(Conflict):
    """Another token has the same value, compared without regard to case."""

    code = "id_token_exists"
    title = "There is an id token with this value already"
