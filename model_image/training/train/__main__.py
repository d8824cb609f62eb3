"""`python -m model_image.training.train`, also under torchrun: the same as `scripts/train`."""

import sys

from model_image.training.cli_train import main

sys.exit(main())
