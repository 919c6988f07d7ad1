from deltarule.experiments.nielsen_3 import recognition


def test_the_runs_are_those_of_the_book():
    assert [(run.hidden, run.eta, run.l2, run.epochs, run.book) for run in recognition.RUNS] == [
        (30, 0.5, None, 30, 95.49),
        (100, 0.5, None, 30, 96.82),
        (30, 0.5, 5.0, 30, 96.49),
        (100, 0.1, 5.0, 60, 98.04),
    ]


def test_a_quick_run(images, quick):
    rows, figures, _ = recognition.run(images, quick)
    assert [row.book for row in rows] == [95.49, 96.82, 96.49, 98.04]
    assert all(row.average > 50 for row in rows)
    assert len(figures["cross-entropy"][0].axes[0].texts) == 4
