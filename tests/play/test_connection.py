import pytest

pytest.importorskip("starlette")

from deltarule.play.connection import BURST, RATE, ProtocolError, parse_message, throttle


def test_messages_are_allowed_at_a_rate():
    due, waits = 5.0, []
    for _ in range(int(BURST) + 50):
        due, wait = throttle(due, 5.0)
        waits.append(wait > 0)
    assert waits == [False] * int(BURST) + [True] * 50
    due, _ = throttle(due, 5.0 + 60 / RATE)  # 251 have come; k of them are worked off
    assert [throttle(due, 5.0 + k / RATE)[1] > 0 for k in (60, 52, 51)] == [False, False, True]


def test_a_message_is_an_object_with_a_command():
    assert parse_message('{"do": "step", "row": 3}') == {"do": "step", "row": 3}
    assert parse_message('{"do": "step", "row": NaN}')["row"] is None
    for text in ("", "{", "[]", "null", '{"do": 1}', "[" * 100_000):
        with pytest.raises(ProtocolError):
            parse_message(text)
