"""Published rows are matched with the profile of their chip and predicted."""

from pathlib import Path

from bench.published_tflite import predictions

ROWS = """\
device,runtime,threads,precision,model,latency_ms
Pixel 2,TFLite,1,fp32,small,10
Pixel 2,XNNPACK,multi (big cores),fp32,small,4
Pixel 9,TFLite,1,fp32,small,1
Pixel 2,TFLite,1,int8,small,5
Pixel 2,TFLite,1,fp32,other,5
"""


def test_rows_of_known_chips_are_predicted(tmp_path: Path, repository: Path) -> None:
    table = tmp_path / "published.csv"
    table.write_text(ROWS)
    model = repository / "models" / "residual_cnn" / "model.onnx"
    found = list(predictions(table, {"small": model}))
    assert [(row.target, row.published_ms) for row in found] == [
        ("sim:snapdragon-835,threads=1", 10.0),
        ("sim:snapdragon-835,threads=4", 4.0),
    ]
    assert all(row.error is not None and row.error > -1 for row in found)
    assert not any(row.in_the_ratio for row in found)
