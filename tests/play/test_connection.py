import pytest

pytest.importorskip("starlette")

from deltarule.play.connection import BURST, RATE, Allowance, Refused, read


def test_messages_are_allowed_at_a_rate():
    now = [0.0]
    allowance = Allowance(lambda: now[0])
    assert sum(allowance.take() for _ in range(int(BURST) + 50)) == BURST
    now[0] += 0.5
    allowance.left = 0.0
    assert sum(allowance.take() for _ in range(int(RATE))) in (RATE // 2, RATE // 2 - 1, RATE // 2 + 1)


def test_a_message_is_an_object_with_a_command():
    assert read('{"do": "step", "row": 3}') == {"do": "step", "row": 3}
    assert read('{"do": "step", "row": NaN}')["row"] is None
    for text in ("", "{", "[]", "null", '{"do": 1}', "[" * 100_000):
        with pytest.raises(Refused):
            read(text)
