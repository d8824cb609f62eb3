"""Who gets the canary: the same user always, and more users only as its percent grows."""

import hashlib


def chosen(model: str, user: str | None, percent: int) -> bool:
    """Whether `user` is among the `percent` of users that the canary of `model` answers. Nobody without a name is.

    A user's place depends on the model and the name alone: the sites agree on it without talking to each other, and
    who was answered by a canary of 5 percent is so at 20 percent as well.
    """
    if not user or percent <= 0:
        return False
    place = int.from_bytes(hashlib.sha256(f"{model}\n{user}".encode(errors="surrogatepass")).digest()[:8], "big")
    return place * 100 < percent << 64
