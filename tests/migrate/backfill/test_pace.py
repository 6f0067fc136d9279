"""The size of a backfill's batches and the pauses between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigym_db.migrate.backfill.pace import LONGEST_REST_S, NARROW_ROWS, TARGET_MS, BatchSize


@pytest.mark.parametrize(
    ("rows_a_page", "pages"), [(50.0, 100), (5000.0, 1), (9000.0, 1), (NARROW_ROWS, 25), (0.5, 10_000)]
)
def test_the_first_batch_has_as_many_pages_as_its_rows_need(rows_a_page, pages) -> None:
    assert BatchSize(5000, rows_a_page).pages == pages


def test_a_slow_batch_is_followed_by_a_smaller_one() -> None:
    pace = BatchSize(5000, 50.0)

    rest_s = pace.done(100, 5000, TARGET_MS * 2, waited_for=False)

    assert pace.pages == 50
    assert rest_s == pytest.approx(0.1)


def test_a_batch_that_blocked_a_session_is_followed_by_a_smaller_one_and_a_longer_pause() -> None:
    pace = BatchSize(5000, 50.0)

    rest_s = pace.done(100, 5000, 10, waited_for=True)

    assert pace.pages == 50
    assert rest_s == pytest.approx(0.01)


def test_the_size_grows_again_up_to_the_rows_of_a_batch() -> None:
    pace = BatchSize(5000, 50.0)
    pace.lock_timeout()

    sizes = [pace.pages]
    for _ in range(4):
        pace.done(pace.pages, 50 * pace.pages, 1, waited_for=False)
        sizes.append(pace.pages)

    assert sizes == [25, 50, 100, 100, 100]


def test_the_size_accounts_for_pages_with_more_rows_than_estimated() -> None:
    pace = BatchSize(1000, 10.0)

    pace.done(100, 9000, 100, waited_for=False)
    pace.done(11, 0, 1, waited_for=False)

    assert pace.pages == 11


@given(
    st.integers(1, 10_000),
    st.floats(0.001, 300),
    st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 60_000), st.booleans(), st.booleans())),
)
def test_a_batch_has_at_least_one_page_and_a_bounded_pause(batch_rows, rows_a_page, batches) -> None:
    pace = BatchSize(batch_rows, rows_a_page)

    rests = []
    for rows, took_ms, waited_for, timed_out in batches:
        if timed_out:
            pace.lock_timeout()
        rests.append(pace.done(pace.pages, rows, took_ms, waited_for))
        assert pace.pages >= 1

    assert all(0 <= rest <= LONGEST_REST_S for rest in rests)
