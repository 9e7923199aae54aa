"""Make `fashion_mnist.npz`, the small data set that ships beside the reference models.

Run from the repository root: `python -m models.data.make`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from models.fashion_mnist import (
    DEFAULT_FOLDER,
    DatasetError,
    choose_balanced,
    load_test,
    load_train,
)

OUTPUT = Path(__file__).parent / "fashion_mnist.npz"
SEED = 20170828
TEST_IMAGES = 2000
CALIBRATION_IMAGES = 500


def make(folder: Path, output: Path) -> None:
    """Write `x` (NHWC test images), `y` and `x_calib` (NHWC training images) to `output`.

    Raises `DatasetError` when `folder` does not hold Fashion-MNIST.
    """
    random = np.random.default_rng(SEED)
    test, train = load_test(folder), load_train(folder)
    shown = choose_balanced(test.labels, TEST_IMAGES, random)
    calibration = choose_balanced(train.labels, CALIBRATION_IMAGES, random)
    np.savez_compressed(
        output,
        allow_pickle=False,
        x=test.images[shown, :, :, np.newaxis],
        y=test.labels[shown],
        x_calib=train.images[calibration, :, :, np.newaxis],
    )


def main() -> None:
    """Read the command line and make the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE")
    options = parser.parse_args()
    try:
        make(options.dataset, options.output)
    except DatasetError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
