from deltarule.experiments.nielsen_3 import overfitting


def test_a_quick_run(images, quick):
    rows, figures, _ = overfitting.run(images, quick)
    assert [row.book for row in rows] == [82.27, None, 87.1, None]
    axes = figures["overfitting"][0].axes
    assert [ax.get_title("left") for ax in axes[:2]] == ["no regularisation", "lambda 0.1"]
    assert all(len(ax.lines) == 2 for ax in axes)
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[2].get_ylim() == axes[3].get_ylim()
    assert axes[3].get_yscale() == "log"
    final = axes[0].lines[0].get_ydata()[-1]
    assert abs(final - rows[1].average) < 1e-4  # the training images, in percent
