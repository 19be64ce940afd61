"""How a provider shall behave. The default of every field is the honest way."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Answers(StrEnum):
    """What requests of the market get."""

    HONEST = "honest"
    REFUSE = "refuse"
    IGNORE = "ignore"


class Paper(StrEnum):
    """What debit notes and invoices look like."""

    HONEST = "honest"
    OVER_PRICED = "over-priced"
    DUPLICATE = "duplicate"
    MALFORMED = "malformed"
    WRONG_AGREEMENT = "wrong-agreement"


class Faults(BaseModel):
    """One provider's behaviour, and where tests find it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proposals: Answers = Answers.HONEST
    agreements: Answers = Answers.HONEST
    deploy: bool = Field(default=True, description="false: deploy fails")
    deploy_delay: float = Field(default=0, ge=0, le=3600, description="seconds")
    vpn: bool = Field(default=True, description="false: no frame passes, in either direction")
    debit_notes: Paper = Paper.HONEST
    invoices: Paper = Paper.HONEST
    note_interval: int | None = Field(default=None, ge=1, description="seconds offered between debit notes")
    subnet: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$", description="where to offer instead")
    breaks: int = Field(default=0, ge=0, description="raised by one: the running agreement is broken")


HONEST = Faults()
