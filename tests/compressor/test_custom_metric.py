from pathlib import Path

import numpy as np
import pytest

from bench.accuracy import compare_accuracy
from compressor.custom_metric import metric_named
from compressor.errors import Code, EdgecError

OUTPUTS = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
LABELS = np.arange(40) % 3


def named(folder: Path, code: str) -> str:
    (folder / "score.py").write_text(f"import numpy as np\n{code}\n")
    return f"{folder / 'score.py'}:score"


def test_names_without_a_file_are_edgecs_own() -> None:
    assert metric_named("top1").name == "top1"
    with pytest.raises(EdgecError) as caught:
        metric_named("top2")
    assert caught.value.code is Code.RECIPE_INVALID


def test_the_function_gets_outputs_and_labels(tmp_path: Path) -> None:
    code = "def score(outputs, labels): return (outputs.argmax(1) == labels).mean()"
    metric = metric_named(named(tmp_path, code))
    assert metric.name == "score.py:score"
    assert metric.higher_is_better
    assert metric.evaluate(OUTPUTS, LABELS) == (OUTPUTS.argmax(1) == LABELS).mean()
    found = compare_accuracy(metric, OUTPUTS, -OUTPUTS, LABELS)
    assert found.source == metric.evaluate(OUTPUTS, LABELS)
    assert found.drop is not None


def test_errors_may_be_what_is_counted(tmp_path: Path) -> None:
    code = "def score(o, y): return abs(o).max()\nscore.higher_is_better = False"
    assert not metric_named(named(tmp_path, code)).higher_is_better


def test_resamples_that_the_function_cannot_judge_are_left_out(tmp_path: Path) -> None:
    code = "def score(o, y):\n    assert len(set(y.tolist())) == 3\n    return float(o.mean())"
    few = slice(0, 3)
    found = compare_accuracy(
        metric_named(named(tmp_path, code)), OUTPUTS[few], OUTPUTS[few], LABELS[few]
    )
    assert found.source == pytest.approx(float(OUTPUTS[few].mean()))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def score(o, y): raise ValueError('odd')", "score.py:2"),
        ("def score(o): return 1.0", "positional"),
        ("def score(o, y): return 'good'", "a str"),
        ("def score(o, y): return o", "a ndarray"),
        ("def score(o, y): return float('nan')", "NaN"),
        ("def other(o, y): return 1.0", "one of: other"),
    ],
)
def test_faults_are_named(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(EdgecError) as caught:
        metric_named(named(tmp_path, code)).evaluate(OUTPUTS, LABELS)
    assert caught.value.code is Code.METRIC_FAILED
    assert said in str(caught.value)
