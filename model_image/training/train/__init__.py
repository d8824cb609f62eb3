"""Fine-tuning of encoders on the examples of a prepared dataset. `train.py` is the trainer, top to bottom."""
