"""Train the residual network.

Run from the repository root: `python -m models.residual_cnn.train`.
"""

from pathlib import Path

from models.residual_cnn.architecture import build
from models.training import HyperParameters, main

HYPER_PARAMETERS = HyperParameters(epochs=16, peak_learning_rate=4e-3, weight_decay=0.05)

if __name__ == "__main__":
    main(Path(__file__).parent, build, HYPER_PARAMETERS)
