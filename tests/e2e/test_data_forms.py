"""The same samples as .npz, as images, and from a function give the same compilation."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.compile import compile_model
from compressor.recipe import Recipe
from tests.graphs import gaussian, graph_of

MODEL = "models/residual_cnn/model.onnx"
FEEDING = "divide = 255.0\nmean = [0.2860]\nstd = [0.3530]\n"
COUNT = 100


def compiled(repository: Path, data: Path, output: Path) -> dict[str, Any]:
    recipe = Recipe(to=("onnx",), calib_samples=40, latency_seconds=0.0)
    made = compile_model(str(repository / MODEL), output=output, data=data, recipe=recipe)
    return {
        "accuracy": made.report["artifacts"][0]["accuracy"],
        "bytes": (output / "model.onnx").read_bytes(),
        "notes": made.notes,
    }


@pytest.fixture(scope="module")
def stored(repository: Path) -> dict[str, Any]:
    """A hundred samples, ten of each class, in the order in which a folder of images comes."""
    archive = np.load(repository / "models/data/fashion_mnist.npz")
    images, labels = archive["x"][:2000], archive["y"][:2000].ravel()
    order = np.stack([np.flatnonzero(labels == index)[:10] for index in range(10)]).T.ravel()
    return {"x": images[order].reshape(COUNT, 28, 28, 1), "y": labels[order]}


@pytest.fixture(scope="module")
def from_npz(
    repository: Path, stored: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("npz")
    np.savez(folder / "data.npz", **stored)
    (folder / "data.toml").write_text(f'path = "data.npz"\nlayout = "NHWC"\n{FEEDING}')
    return compiled(repository, folder / "data.toml", folder / "out")


def test_images_in_class_folders(
    repository: Path, stored: dict[str, Any], from_npz: dict[str, Any], tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'edgec[images]'")
    for index, (pixels, label) in enumerate(zip(stored["x"], stored["y"], strict=True)):
        folder = tmp_path / "images" / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray(pixels[:, :, 0]).save(folder / f"{index:04}.png")
    (tmp_path / "data.toml").write_text(f'path = "images"\ncolor = "L"\n{FEEDING}')
    found = compiled(repository, tmp_path / "data.toml", tmp_path / "out")
    ours, theirs = (onnx.load_from_string(made["bytes"]) for made in (found, from_npz))
    assert ours.graph == theirs.graph
    usage = {entry.key: entry.value for entry in ours.metadata_props}["edgec.usage"]
    assert '"class9"' in usage  # how to use it: folders have names for classes
    assert found["accuracy"] == from_npz["accuracy"]


def test_a_generator_with_a_metric_of_its_own(
    repository: Path, stored: dict[str, Any], from_npz: dict[str, Any], tmp_path: Path
) -> None:
    np.savez(tmp_path / "raw.npz", **stored)
    (tmp_path / "load.py").write_text(
        "from pathlib import Path\n"
        "import numpy as np\n"
        "def samples():\n"
        "    stored = np.load(Path(__file__).with_name('raw.npz'))\n"
        "    for start in range(0, 100, 7):\n"
        "        yield stored['x'][start : start + 7], stored['y'][start : start + 7]\n"
        "def share(outputs, labels):\n"
        "    return float((outputs.argmax(axis=1) == labels).mean())\n"
    )
    (tmp_path / "data.toml").write_text(
        f'path = "load.py:samples"\nlayout = "NHWC"\nmetric = "load.py:share"\n{FEEDING}'
    )
    found = compiled(repository, tmp_path / "data.toml", tmp_path / "out")
    assert found["bytes"] == from_npz["bytes"]
    assert found["accuracy"]["metric"] == "load.py:share"
    assert found["accuracy"]["artifact"] == pytest.approx(from_npz["accuracy"]["artifact"] / 100)


def test_two_inputs_of_token_ids(tmp_path: Path) -> None:
    model = graph_of(
        """g (int64[N,6] ids, int64[N,6] mask) => (float[N,3] scores) {
            rows = Gather(table, ids)
            kept = Cast<to=1>(mask)
            wide = Unsqueeze(kept, last)
            some = Mul(rows, wide)
            mean = ReduceMean<keepdims=0>(some, steps)
            scores = Gemm<transB=1>(mean, weight, bias)
        }""",
        table=gaussian(50, 8),
        last=np.array([2], np.int64),
        steps=np.array([1], np.int64),
        weight=gaussian(3, 8, seed=1),
        bias=gaussian(3, seed=2),
    )
    ir.save(model, tmp_path / "m.onnx")
    (tmp_path / "load.py").write_text(
        "import numpy as np\n"
        "def samples():\n"
        "    random = np.random.default_rng(0)\n"
        "    for _ in range(10):\n"
        "        ids = random.integers(0, 50, (8, 6))\n"
        "        yield {'ids': ids, 'mask': (ids > 9).astype(np.int64), 'y': ids[:, 0] % 3}\n"
    )
    recipe = Recipe(to=("onnx", "tflite"), latency_seconds=0.0)
    made = compile_model(
        str(tmp_path / "m.onnx"),
        output=tmp_path / "out",
        data=tmp_path / "load.py:samples",
        recipe=recipe,
    )
    assert made.artifacts[0].accuracy is not None
    assert made.artifacts[0].accuracy.samples == 80
