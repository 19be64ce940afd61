"""One provider serves one node of a cluster, and talks to one cluster at a time."""

from __future__ import annotations

import pytest

from golem_bridge.market.claims import Claims, Talks


def test_a_claim_is_kept_after_a_good_negotiation_and_given_back_after_a_bad_one() -> None:
    claims = Claims()
    with claims.held("0xa"):
        assert not claims.is_free("0xa")
    assert not claims.is_free("0xa")
    with pytest.raises(RuntimeError), claims.held("0xb"):
        raise RuntimeError
    assert claims.is_free("0xb")
    assert len(claims) == 1


def test_another_cluster_may_have_a_claimed_provider_once_the_talk_is_over() -> None:
    talks = Talks()
    ours, theirs = Claims(talks), Claims(talks)
    with ours.held("0xa"):
        assert not theirs.is_free("0xa")
    assert theirs.is_free("0xa")


def test_a_talk_within_a_talk_does_not_end_it() -> None:
    talks = Talks()
    with talks.with_("0xa"):
        with talks.with_("0xa"):
            pass
        assert "0xa" in talks
    assert "0xa" not in talks


def test_whoever_waits_hears_that_a_talk_ended_or_a_claim_was_given_back() -> None:
    talks, heard = Talks(), []
    claims = Claims(talks)
    with talks.watched(lambda: heard.append("now")):
        with claims.held("0xa"):
            assert heard == []
        assert len(heard) == 1
        claims.release("0xa")
        assert len(heard) == 2
    claims.release("0xb")
    assert len(heard) == 2


def test_a_provider_serves_elsewhere_while_another_cluster_has_it() -> None:
    talks = Talks()
    ours, theirs = Claims(talks), Claims(talks)
    theirs.take("one")
    theirs.take("one")
    assert ours.serves_elsewhere("one")
    assert not theirs.serves_elsewhere("one")
    ours.take("one")
    assert theirs.serves_elsewhere("one")
    theirs.release("one")
    theirs.release("one")
    assert not ours.serves_elsewhere("one")
    ours.release("one")
    assert not talks.serving
