"""What a signer may sign."""

from trading.domain.errors import Denied


class SigningDenied(Denied):
    """The signer's policy doesn't know such a call; nothing was signed."""

    code = "SIGNING_DENIED"
