import base64
import re
import struct
import zlib

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import Schema
from deltarule.data.columns import NumericColumn, Pixels
from deltarule.inspection.report import Evidence, collect_evidence, html_report, render_page
from deltarule.inspection.report.predictions import predictions, side_by_side

PARTS = np.array(["training"] * 50 + ["validation"] * 15 + ["test"] * 15)


def test_a_regression_is_shown_by_part_with_its_own_r(plant):
    net, params, schema, X, Y, _ = plant
    noisy = Y + np.random.default_rng(0).normal(0, 0.3, Y.shape)
    evidence = collect_evidence(net, params, schema, X, noisy, "plant.csv", parts=PARTS)
    shown = {one.title: one for one in predictions(schema, evidence)}
    for part in ("training", "validation", "test"):
        rows = part == PARTS
        r = np.corrcoef(evidence.predicted[rows, 0], evidence.actual[rows, 0])[0, 1]
        one = shown[f"Regression of yield, {part} rows"]
        assert f"R {r:.4f}, {rows.sum()} rows" in one.caption
        assert one.svg().count("<title>row ") == rows.sum()
    errors = (evidence.predicted - evidence.actual)[PARTS == "test", 0]
    for words in (f"mean is {errors.mean():.3g}", f"standard deviation {errors.std():.3g}"):
        assert words in shown["Errors of yield"].caption
    page = html_report("m", schema, {}, {}, evidence)
    r2 = 1 - np.sum(errors**2) / np.sum(
        (evidence.actual[PARTS == "test"] - evidence.actual[PARTS == "test"].mean()) ** 2
    )
    assert f"mean square error of {np.sqrt(np.mean(errors**2)):.4g}" in page
    assert f"R² {r2:.3f}" in page


def test_every_point_says_its_row_and_its_numbers(plant):
    net, params, schema, X, Y, _ = plant
    evidence = collect_evidence(net, params, schema, X, Y, "plant.csv", rows=np.arange(100, 180))
    page = html_report("m", schema, {}, {}, evidence)
    found = {
        int(row): (float(actual), float(predicted))
        for row, actual, predicted in re.findall(r"<title>row (\d+): actual (\S+), predicted (\S+)</title>", page)
    }
    assert set(found) == set(range(100, 180))
    for row, (actual, predicted) in found.items():
        assert actual == pytest.approx(evidence.actual[row - 100, 0], rel=1e-4)
        assert predicted == pytest.approx(evidence.predicted[row - 100, 0], rel=1e-4)


def test_recall_and_precision_of_each_class():
    actual, predicted = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 0, 1])
    schema = Schema("table", "classification", (NumericColumn("x", 0.0, 1.0),), (), ("a", "b", "c"), ("kind",))
    (shown, *_) = predictions(schema, Evidence("t", np.eye(3)[predicted], actual, {}, ()))
    assert shown.confusion == (("a", "b", "c"), [[3, 1, 0], [1, 1, 0], [0, 1, 0]])
    page = render_page("", "", [("", [], [shown])])
    shares = re.findall(r'<td class="of">(.*?)</td>', page)
    assert shares == ["75 %", "50 %", "0 %", "75 %", "33 %", "-"]  # recall, precision: nothing was taken for c


def test_a_classification_is_judged_by_its_test_rows(clouds):
    net, params, schema, X, Y, _ = clouds
    parts = np.where(np.arange(80) % 4 == 0, "test", "training")
    evidence = collect_evidence(net, params, schema, X, Y, "clouds.csv", parts=parts)
    (confusion, *_) = predictions(schema, evidence)
    assert confusion.title == "Confusion, test rows"
    assert sum(count for row in confusion.confusion[1] for count in row) == 20


def test_images_that_were_misread_are_shown():
    random = np.random.default_rng(0)
    X, labels = random.uniform(size=(30, 16)), random.integers(0, 2, 30)
    schema = Schema("digits", "classification", (Pixels(16, 1.0, (4, 4)),), (), (0, 1), ("digit",))
    net = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    params = net.init(0, (16,))
    evidence = collect_evidence(net, params, schema, X, np.eye(2)[labels], "digits")
    wrong = np.flatnonzero(np.asarray(net(params, X)).argmax(axis=1) != labels)
    images, places = evidence.misread
    np.testing.assert_array_equal(places, wrong)
    np.testing.assert_array_equal(images, X[wrong].reshape(-1, 4, 4))
    shown = predictions(schema, evidence)[-1]
    assert shown.title == "Misread images"
    assert f"The {len(wrong)} misread images" in shown.caption


def test_a_dependence_has_the_error_bars_of_new_measurements(plant):
    net, _, schema, X, Y, _ = plant
    result = dr.train(net, X, Y, trainer=dr.BayesianRegularization(), epochs=8)
    ensemble = dr.BayesianEnsemble.of(net, result, X, Y)
    evidence = collect_evidence(net, result.params, schema, X, Y, "", ensemble)
    for curve in evidence.dependence:
        assert curve.band.shape == (2, *curve.means.shape)
        noise = schema.targets[0].std * float(ensemble.noise_std[0])
        assert (np.ptp(curve.band[:, :, 0], axis=0) >= 2 * 1.9 * noise).all()
    assert collect_evidence(net, result.params, schema, X, Y, "").dependence[0].band is None


def test_every_image_stands_there_with_its_words():
    images = np.array([[[0.0, 0.5], [1.0, 0.0], [0.2, 0.2]], np.zeros((3, 2))])
    svg = side_by_side(images, ["<1> → 7", "2 → 3"], "misread")
    assert re.findall(r">([^<]*)</text>", svg) == ["&lt;1&gt; → 7", "2 → 3"]
    first, second = (base64.b64decode(code) for code in re.findall(r"base64,([^\"]*)", svg))
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", first[16:24]) == (2, 3)  # width, height
    for file, expected in ((first, [[255, 128], [0, 255], [204, 204]]), (second, [[255, 255]] * 3)):
        at = file.index(b"IDAT")
        (length,) = struct.unpack(">I", file[at - 4 : at])
        rows = np.frombuffer(zlib.decompress(file[at + 4 : at + 4 + length]), np.uint8).reshape(3, 3)
        assert (rows[:, 0] == 0).all()  # no filter
        np.testing.assert_allclose(rows[:, 1:].astype(int), expected, atol=1)
