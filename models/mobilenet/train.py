"""Train the MobileNet.

Run from the repository root: `python -m models.mobilenet.train`.
"""

from pathlib import Path

from models.mobilenet.architecture import build
from models.training import HyperParameters, main

HYPER_PARAMETERS = HyperParameters(
    epochs=10, peak_learning_rate=4e-3, weight_decay=0.05, bfloat16=False
)

if __name__ == "__main__":
    main(Path(__file__).parent, build, HYPER_PARAMETERS)
