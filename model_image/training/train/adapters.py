"""Low-rank updates by peft: put into a model before training, folded into its weights after it."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from model_image.training.train.base import is_head
from model_image.training.train.settings import Settings


def add_adapters(model: Any, settings: Settings, steps: int) -> Any:
    """`model`, or with `method` lora or adalora one whose encoder layers learn low-rank updates and nothing else.

    The head, which is new, is trained as a whole. adalora starts at twice the rank and gives up half where it matters
    least, between a tenth and seven tenths of `steps` (Zhang et al. 2023, the shares of their appendix).
    """
    if settings.method == "full":
        return model
    from peft import AdaLoraConfig, LoraConfig, get_peft_model

    common: dict[str, Any] = {"lora_alpha": settings.lora_alpha, "target_modules": _linears(model)}
    config: LoraConfig
    if settings.method == "adalora":
        spans: dict[str, Any] = {
            "tinit": steps // 10,
            "tfinal": steps * 3 // 10,
            "deltaT": max(1, steps // 100),
            "total_step": steps,
        }
        config = AdaLoraConfig(target_r=settings.lora_rank, init_r=2 * settings.lora_rank, **spans, **common)
    else:
        config = LoraConfig(r=settings.lora_rank, **common)
    heads = [name for name, tensor in model.named_parameters() if is_head(name) and tensor.requires_grad]
    with warnings.catch_warnings():  # peft asks transformers by a name that is going away
        warnings.simplefilter("ignore", FutureWarning)
        adapted: Any = get_peft_model(model, config)
    for name in heads:
        adapted.base_model.model.get_parameter(name).requires_grad_(True)
    return adapted


def penalty(model: Any) -> Tensor | float:
    """What adalora adds to the loss of a step: how far its singular vectors are from being orthogonal (its weight is
    peft's, 0.5)."""
    if not _adaptive(model):
        return 0.0
    terms = []
    for name, tensor in model.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            product = tensor @ tensor.T if "lora_A" in name else tensor.T @ tensor
            terms.append(torch.linalg.matrix_norm(product - torch.eye(len(product), device=tensor.device)))
    weight: float = model.peft_config["default"].orth_reg_weight
    return weight * torch.stack(terms).mean()


def allocate(model: Any, step: int) -> None:
    """Let adalora take rank away; after the optimizer's step, while the gradients are there."""
    if _adaptive(model):
        model.base_model.update_and_allocate(step)


def merged(model: Any) -> Any:
    """The plain model with the updates in its weights."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def memory(model: Any) -> dict[str, Tensor]:
    """What adalora knows beside its weights, as tensors; empty for the others."""
    if not _adaptive(model):
        return {}
    allocator = model.base_model.rankallocator
    found = {f"{kind}|{name}": tensor for kind in _KINDS for name, tensor in getattr(allocator, kind).items()}
    pattern = model.peft_config["default"].rank_pattern or {}
    return found | {f"rank_pattern|{name}": torch.tensor(kept) for name, kept in pattern.items()}


def remember(model: Any, tensors: dict[str, Tensor]) -> None:
    """Inverse of `memory`."""
    if not _adaptive(model):
        return
    allocator, device = model.base_model.rankallocator, next(model.parameters()).device
    pattern = {}
    for key, tensor in tensors.items():
        kind, _, name = key.partition("|")
        if kind in _KINDS:
            getattr(allocator, kind)[name] = tensor.to(device)
        elif kind == "rank_pattern":
            pattern[name] = tensor.tolist()
    model.peft_config["default"].rank_pattern = pattern


_KINDS = ("ipt", "exp_avg_ipt", "exp_avg_unc")


def _adaptive(model: Any) -> bool:
    return hasattr(getattr(model, "base_model", None), "rankallocator")


def _linears(model: Any) -> list[str]:
    return [name for name, part in model.named_modules() if isinstance(part, nn.Linear) and ".layer." in f".{name}"]
