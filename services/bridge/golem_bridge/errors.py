"""Everything that can go wrong, as one tree.

    BridgeError
    ├── InputError            what was asked makes no sense (4xx)
    │   ├── UnauthorizedError
    │   ├── ForbiddenError
    │   ├── UnknownClusterError / UnknownNodeError
    │   ├── TooLargeError     more bytes than are read
    │   ├── LimitError        over max_workers
    │   └── BudgetError       the budget cannot carry it
    ├── MarketError           no provider fits, none agreed in time
    └── GolemError            yagna or a provider failed
        ├── YagnaUnavailableError
        ├── NotFoundError
        ├── GolemTimeoutError
        ├── InsufficientFundsError
        ├── AllocationGoneError
        ├── AgreementRefusedError
        ├── CommandFailedError
        ├── NodeUnreachableError
        ├── MalformedDocumentError
        └── UnsupportedError

Each class has a stable ``code`` and an HTTP status; each message says what failed, the observed value and
the next command.
"""

from __future__ import annotations

from decimal import Decimal

TRY_ANOTHER = "another provider is tried"
"""Next step of what fails at one provider; true only until the last one was tried."""


class BridgeError(Exception):
    """Root of all errors the bridge raises on purpose."""

    code = "internal"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def finding(self) -> str:
        """The message for a sentence that has a next step of its own: without ``TRY_ANOTHER``."""
        return self.message.removesuffix(f" — {TRY_ANOTHER}")


class InputError(BridgeError):
    code = "bad_input"
    status = 422


class UnauthorizedError(InputError):
    code = "unauthorized"
    status = 401


class ForbiddenError(InputError):
    code = "forbidden"
    status = 403


class UnknownClusterError(InputError):
    code = "unknown_cluster"
    status = 404


class UnknownNodeError(InputError):
    code = "unknown_node"
    status = 404


class TooLargeError(InputError):
    code = "too_large"
    status = 413


class LimitError(InputError):
    code = "over_limit"
    status = 409


class BudgetError(InputError):
    code = "budget"
    status = 409


class MarketError(BridgeError):
    code = "market"
    status = 503


class GolemError(BridgeError):
    """yagna or a provider failed."""

    code = "golem"
    status = 502


class YagnaUnavailableError(GolemError):
    code = "yagna_unavailable"
    status = 503


class NotFoundError(GolemError):
    code = "not_found"


class GolemTimeoutError(GolemError):
    code = "timeout"


class InsufficientFundsError(GolemError):
    """The wallet or an allocation cannot carry an amount; ``available`` is in GLM where yagna tells it."""

    code = "insufficient_funds"
    status = 409

    def __init__(self, message: str, available: Decimal | None = None) -> None:
        super().__init__(message)
        self.available = available


class AllocationGoneError(GolemError):
    """It was released, or has expired."""

    code = "no_allocation"


class AgreementRefusedError(GolemError):
    code = "agreement_refused"


class CommandFailedError(GolemError):
    code = "command_failed"


class NodeUnreachableError(GolemError):
    code = "node_unreachable"


class MalformedDocumentError(GolemError):
    code = "malformed_document"


class UnsupportedError(GolemError):
    code = "unsupported"
