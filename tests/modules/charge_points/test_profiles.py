"""A security profile goes up, is never lowered unawares, and nobody is locked out on the way. OCPP 2.0.1 A05."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modules.charge_points.domain.profiles import ProfileNotLowered, Profiles

PROFILE = some.integers(0, 3)
STEPS = some.lists(
    some.one_of(
        some.tuples(some.just("move"), PROFILE),
        some.tuples(some.just("set"), PROFILE),
        some.tuples(some.just("connect"), PROFILE),
        some.tuples(some.just("tell again"), some.just(0)),
    ),
    max_size=30,
)


def test_both_profiles_are_accepted_until_the_station_has_connected_with_the_higher() -> None:
    moving = Profiles(1).moving_to(2, since=5)

    assert moving.accepted == (1, 2)
    assert moving.connected(1, revision=5).accepted == (1, 2)
    assert moving.connected(2, revision=5).accepted == (2,)


def test_a_connection_from_before_the_change_does_not_settle_it() -> None:
    assert Profiles(2).moving_to(3, since=5).connected(3, revision=4).accepted == (2, 3)


def test_what_was_begun_is_taken_back_by_naming_the_present_profile() -> None:
    assert Profiles(1).moving_to(2, since=5).moving_to(1, since=6).accepted == (1,)


@pytest.mark.parametrize("allow", [False, True])
@pytest.mark.parametrize(("old", "new"), [(old, new) for old in range(4) for new in range(old)])
def test_the_only_way_down_is_from_3_to_2_where_it_is_allowed(old: int, new: int, allow: bool) -> None:
    if (old, new, allow) == (3, 2, True):
        lowered = Profiles(old).moving_to(new, since=2, allow_downgrade=allow)
        assert lowered.accepted == (2, 3)
        assert lowered.connected(2, revision=2).accepted == (2,)
    else:
        with pytest.raises(ProfileNotLowered):
            Profiles(old).moving_to(new, since=2, allow_downgrade=allow)


def test_a_profile_can_be_corrected_before_the_station_has_ever_connected() -> None:
    assert Profiles(3).set_to(1, ever_connected=False).accepted == (1,)
    with pytest.raises(ProfileNotLowered):
        Profiles(3).set_to(1, ever_connected=True)


@given(start=PROFILE, steps=STEPS)
def test_whatever_is_tried_a_profile_below_one_that_worked_is_not_accepted_again(
    start: int, steps: list[tuple[str, int]]
) -> None:
    profiles, revision, worked, last = Profiles(start), 1, 0, (start, 0)
    for step, profile in steps:
        with suppress(ProfileNotLowered):
            if step == "move":
                revision += 1
                profiles = profiles.moving_to(profile, since=revision)
            elif step == "set":
                revision += 1
                profiles = profiles.set_to(profile, ever_connected=worked > 0)
            elif step == "tell again":
                profiles = profiles.connected(last[0], revision=last[1])
            elif profile in profiles.accepted:
                last = profile, revision
                profiles = profiles.connected(profile, revision=revision)
                worked = max(worked, profile)
        assert min(profiles.accepted) >= worked or worked == 0, (step, profile)
        assert profiles.configured in profiles.accepted
