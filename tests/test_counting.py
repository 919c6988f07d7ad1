from deltarule.counting import counted


def test_one_has_no_ending():
    assert [counted(n, "starting point") for n in (0, 1, 2, 1000)] == [
        "0 starting points",
        "1 starting point",
        "2 starting points",
        "1,000 starting points",
    ]
