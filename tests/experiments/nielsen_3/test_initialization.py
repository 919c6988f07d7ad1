from deltarule.experiments.nielsen_3 import initialization


def test_a_quick_run(images, quick):
    rows, figures, _ = initialization.run(images, quick)
    assert [row.book for row in rows] == ["under 87 %", "over 96 %", "almost 93 %", "over 96 %"]
    assert len(figures["initialisation"][0].axes[0].lines) == 2
