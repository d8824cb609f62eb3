from hypothesis import given
from hypothesis import strategies as st

from model_image.canary import chosen

USERS = st.text(min_size=1)  # with lone surrogates: a header may hold any bytes
PERCENTS = st.integers(0, 100)


@given(USERS, PERCENTS, PERCENTS)
def test_a_higher_percent_only_adds_users(user: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert chosen("search", user, high) >= chosen("search", user, low)
    assert not chosen("search", user, 0)
    assert chosen("search", user, 100)


@given(USERS, PERCENTS)
def test_the_same_user_always_gets_the_same_answer(user: str, percent: int) -> None:
    assert chosen("search", user, percent) == chosen("search", user, percent)


@given(PERCENTS)
def test_requests_without_a_user_get_the_stable_release(percent: int) -> None:
    assert not chosen("search", None, percent)
    assert not chosen("search", "", percent)


def test_the_share_of_users_is_about_the_percent() -> None:
    """Bounds are five standard deviations of a binomial over 20,000 users."""
    for percent in (1, 5, 20, 50):
        found = sum(chosen("search", f"user-{number}", percent) for number in range(20_000))
        spread = (20_000 * percent / 100 * (1 - percent / 100)) ** 0.5
        assert abs(found - 200 * percent) < 5 * spread


def test_every_model_has_canary_users_of_its_own() -> None:
    users = [f"user-{number}" for number in range(2000)]
    one, other = ({user for user in users if chosen(model, user, 50)} for model in ("search", "other"))
    assert 300 < len(one & other) < 700


def test_every_site_and_every_later_version_must_choose_alike() -> None:
    assert [user for user in map(str, range(40)) if chosen("search", user, 10)] == ["0", "3", "30"]
