"""The limit on BLAS's threads: from the first training that holds it to the last one, in whatever order they end."""

import pytest
from threadpoolctl import threadpool_info

from deltarule.engine import machine
from deltarule.engine.machine import threads_for_order, threads_for_work


class Limit:
    """What stands for threadpoolctl's limit, with the number of threads that BLAS would use."""

    threads = 8

    def limit(self, limits, user_api):
        assert user_api == "blas"
        before, Limit.threads = Limit.threads, limits

        class Limiter:
            def restore_original_limits(self):
                Limit.threads = before

        return Limiter()


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(machine, "_controller", Limit)
    monkeypatch.setattr(Limit, "threads", 8)
    return Limit


def test_small_matrices_take_one_thread_and_large_ones_all(counted):
    for context, threads in (
        (threads_for_order(machine.ORDER_WORTH_THREADS - 1), 1),
        (threads_for_order(machine.ORDER_WORTH_THREADS), 8),
        (threads_for_work(machine.WORK_WORTH_THREADS - 1), 1),
        (threads_for_work(machine.WORK_WORTH_THREADS), 8),
    ):
        with context:
            assert counted.threads == threads
        assert counted.threads == 8


def test_the_one_that_ends_first_lifts_no_limit_of_another(counted):
    """As two threads of Python do: begin, begin, the first ends, the second ends."""
    first, second = threads_for_order(10), threads_for_work(10)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert counted.threads == 1
    second.__exit__(None, None, None)
    assert counted.threads == 8


def test_an_error_lifts_the_limit(counted):
    with pytest.raises(ZeroDivisionError), threads_for_order(10):
        1 / 0  # noqa: B018
    assert counted.threads == 8


def test_a_forked_process_waits_for_no_thread_of_its_parent(counted):
    """The lock was held when it was forked, and who held it does not run here."""
    machine._holders.lock.acquire()
    machine._begin_anew()
    with threads_for_order(10):
        assert counted.threads == 1
    assert counted.threads == 8


def test_blas_itself_obeys():
    def threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    machine._controller()
    before = threads()
    with threads_for_order(10):
        assert threads() == {1}
    assert threads() == before
