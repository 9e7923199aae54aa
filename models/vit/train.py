"""Train the vision transformer.

Run from the repository root: `python -m models.vit.train`.
"""

from pathlib import Path

from models.training import HyperParameters, main
from models.vit.architecture import build

HYPER_PARAMETERS = HyperParameters(epochs=10, peak_learning_rate=2e-3, weight_decay=0.05)

if __name__ == "__main__":
    main(Path(__file__).parent, build, HYPER_PARAMETERS)
