from deltarule.experiments.nielsen_3 import initialization


def test_a_quick_run(images, quick):
    rows, figures, _ = initialization.run(images, quick)
    assert [row.book for row in rows] == ["under 87 %", None, "almost 93 %", None]
    assert len(figures["initialisation"][0].axes[0].lines) == 2
