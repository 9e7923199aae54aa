"""Train the recurrent network.

Run from the repository root: `python -m models.gru.train`.
"""

from pathlib import Path

from models.gru.architecture import build
from models.onnx_export import Exporter
from models.training import HyperParameters, main

HYPER_PARAMETERS = HyperParameters(
    epochs=10,
    peak_learning_rate=4e-3,
    weight_decay=0.01,
    exporter=Exporter.TORCHSCRIPT,
)

if __name__ == "__main__":
    main(Path(__file__).parent, build, HYPER_PARAMETERS)
