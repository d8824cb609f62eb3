"""AdamW with its rate as a function of the step, and its state as named tensors."""

from typing import Any

import torch
from torch import Tensor

from model_image.training.train.settings import Settings

_ADAM = ("exp_avg", "exp_avg_sq", "step")


def trained(model: Any) -> dict[str, Tensor]:
    """The parameters that learn, by name."""
    return {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}


def open_optimizer(parameters: dict[str, Tensor], settings: Settings) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); biases and norms, which have one dimension, do not decay."""
    groups = [
        {"params": [tensor for tensor in parameters.values() if tensor.ndim > 1], "weight_decay": settings.decay},
        {"params": [tensor for tensor in parameters.values() if tensor.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=settings.rate, fused=True)


def rate_at(step: int, steps: int, settings: Settings) -> float:
    """The rate of step 1 to `steps`: up to `settings.rate` in equal parts, then down; no step is of rate 0."""
    rising = max(1, round(steps * settings.warmup))
    share = step / rising if step <= rising else (steps - step + 1) / (steps - rising + 1)
    return settings.rate * share


def gradient(tensor: torch.Tensor) -> torch.Tensor:
    """The gradient, zeros where this rank computed none: all ranks must sum the same tensors."""
    if tensor.grad is None:
        tensor.grad = torch.zeros_like(tensor)
    return tensor.grad


def state_tensors(optimizer: torch.optim.Optimizer, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The optimizer's state, as "<part>|<parameter>"."""
    found = {}
    for name, tensor in parameters.items():
        for part in _ADAM:
            if part in optimizer.state.get(tensor, {}):
                found[f"{part}|{name}"] = optimizer.state[tensor][part]
    return found


def set_state(optimizer: torch.optim.Optimizer, parameters: dict[str, Tensor], tensors: dict[str, Tensor]) -> None:
    """Inverse of `state_tensors`; other tensors are left alone."""
    for name, tensor in parameters.items():
        kept = {part: tensors[f"{part}|{name}"] for part in _ADAM if f"{part}|{name}" in tensors}
        if kept:
            optimizer.state[tensor] = {part: value.to(tensor.device, copy=True) for part, value in kept.items()}


def put(parameters: dict[str, Tensor], weights: dict[str, Tensor]) -> None:
    """Set the parameters to `weights` of the same names."""
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(weights[name])
