"""The thread limit of BLAS holds from the first training to the last one, in whatever order they end."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import deltarule as dr
from deltarule.engine import machine
from deltarule.engine.machine import threads_for_order, threads_for_work
from deltarule.network import backprop


class Library:
    """A stand-in for a BLAS library, with its number of threads."""

    threads = 8

    def get_num_threads(self):
        return self.threads

    def set_num_threads(self, count):
        self.threads = count


@pytest.fixture
def library(monkeypatch):
    library = Library()
    monkeypatch.setattr(machine, "_libraries", lambda: [library])
    return library


def test_small_matrices_take_one_thread_and_large_ones_all(library):
    for context, threads in (
        (threads_for_order(machine.ORDER_WORTH_THREADS - 1), 1),
        (threads_for_order(machine.ORDER_WORTH_THREADS), 8),
        (threads_for_work(machine.WORK_OF_ONE_THREAD), 8),
        (threads_for_work(machine.WORK_OF_ONE_THREAD + 1), 1),
        (threads_for_work(machine.WORK_WORTH_THREADS - 1), 1),
        (threads_for_work(machine.WORK_WORTH_THREADS), 8),
    ):
        with context:
            assert library.threads == threads
        assert library.threads == 8


def test_a_training_that_ends_first_does_not_lift_the_limit_of_another(library):
    """Two threads of Python: the first begins, the second begins, the first ends, the second ends."""
    first, second = threads_for_order(10), threads_for_work(1e6)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert library.threads == 1
    second.__exit__(None, None, None)
    assert library.threads == 8


def test_an_error_lifts_the_limit(library):
    with pytest.raises(ZeroDivisionError), threads_for_order(10):
        1 / 0  # noqa: B018
    assert library.threads == 8


def test_a_forked_process_does_not_wait_for_threads_of_its_parent(library):
    """The lock was held at the fork by a thread that does not exist in the child."""
    machine._limit.lock.acquire()
    machine._forget_parent_threads()
    with threads_for_order(10):
        assert library.threads == 1
    assert library.threads == 8


def test_outputs_and_gradients_hold_the_limit_too(library, monkeypatch):
    """100 rows of 784-100-10 are 8 million multiplications, one row is 80,000 and one of 20-10-1 is 210."""
    seen = []
    monkeypatch.setattr(
        backprop, "forward", lambda *given, f=backprop.forward: seen.append(library.threads) or f(*given)
    )
    for sizes, rows, threads in (((784, 100, 10), 100, 1), ((784, 100, 10), 1, 1), ((20, 10, 1), 1, 8)):
        net = dr.Network([dr.Dense(n) for n in sizes[1:]])
        params, X, Y = net.init(0, sizes[:1]), np.zeros((rows, sizes[0])), np.zeros((rows, sizes[-1]))
        net(params, X), net.cost_and_gradient(params, X, Y)
        assert seen[-2:] == [threads, threads]
        assert library.threads == 8


def test_blas_itself_obeys():
    def threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    machine._libraries()
    with threadpool_limits(2, user_api="blas"):
        with threads_for_order(10):
            assert threads() == {1}
        assert threads() == {2}
