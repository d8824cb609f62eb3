"""The trainer: read it from top to bottom. One loop, one step per batch, in one process or in each of torchrun's."""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from msgspec.structs import replace

from model_image.training.train.adapters import add_adapters, allocate, memory, merged, penalty, remember
from model_image.training.train.base import base_shape, load_base
from model_image.training.train.checkpoints import Checkpoints, State
from model_image.training.train.errors import TrainError, TrainInputError
from model_image.training.train.examples import Example
from model_image.training.train.inputs import Encoder, precision, shares_of
from model_image.training.train.journal import Journal
from model_image.training.train.optimizer import (
    gradient,
    open_optimizer,
    put,
    rate_at,
    set_state,
    state_tensors,
    trained,
)
from model_image.training.train.plan import Job, open_plan
from model_image.training.train.ranks import Ranks
from model_image.training.train.result import Training, begin, finish, read_training, versions, work_folder


def train(job: Job, ranks: Ranks | None = None, on_step: Callable[[int], None] = lambda step: None) -> Training:
    """Fine-tune, and write the model folder; `on_step` is called after each step and its checkpoint.

    Raises `TrainInputError`, `TableError`, `DatasetError` or `ModelError` for what it was given, `TrainError` for what
    happened on the way.
    """
    started, settings = time.monotonic(), job.settings
    ranks = ranks or Ranks(kind=settings.device)
    plan = open_plan(job, ranks)
    task, steps = plan.task, plan.steps
    if ranks.differ(str(plan.made_of)):
        raise TrainInputError("--data, --base or a library is not the same at every rank; give all of them the same")
    done = begin(job.output, plan.made_of, resume=job.resume) if ranks.first else None
    if ranks.agree(done is not None):
        return done or read_training(job.output)

    # The model, what of it learns, and how.
    torch.manual_seed(settings.seed)
    device, shape = ranks.device, base_shape(job.base)
    model = load_base(job.base, outputs=task.outputs, dropout=settings.dropout)
    model = add_adapters(model, settings, steps).to(device).train()
    max_tokens = min(settings.max_tokens, shape.longest)
    encoder = Encoder(model, job.base, shape, max_tokens, precision(settings, device), job.pooling)
    parameters = trained(model)
    optimizer = open_optimizer(parameters, settings)

    # From the beginning, or from where a killed run was.
    work = work_folder(job.output)
    journal = Journal(work, steps=steps, metric=task.metric, speaks=ranks.first)
    checkpoints = Checkpoints(work, plan.made_of, journal.note)
    state = State()
    if at := int(ranks.agree(checkpoints.latest() if ranks.first else 0)):
        state, weights, tensors = checkpoints.load_at_all(at, ranks)
        put(parameters, weights)
        set_state(optimizer, parameters, tensors)
        remember(model, tensors)
    journal.note(_plan_told(plan.train_examples, len(plan.valid), steps, at))

    def evaluate(state: State) -> tuple[State, float | None]:
        """The metric, which the first rank computes, and the state after it; better weights are kept."""
        found = ranks.agree(task.measure(encoder, plan.valid) if ranks.first and plan.valid else math.nan)
        if math.isnan(found):
            return state, None
        if state.best is not None and task.sign * found <= task.sign * state.best:
            return replace(state, waited=state.waited + 1), found
        if ranks.first:
            checkpoints.save_best(state.step, parameters)
        return replace(state, best=found, best_step=state.step, waited=0), found

    with journal.open(state.step):
        if not state.step:
            state, first = evaluate(state)
            state = replace(state, first=first)
        batches = plan.batches(settings, state.step)
        while state.step < steps and not 0 < settings.patience <= state.waited:
            step, batch, begun = state.step + 1, next(batches), time.monotonic()
            torch.manual_seed(_step_seed(settings.seed, step, ranks.rank))  # dropout; so a resumed run draws the same
            loss, encoder.tokens = 0.0, 0
            for number, part in enumerate(shares_of(batch, settings.accumulate)):
                part_loss = task.loss(encoder, shares_of(part, ranks.world, empty=True), ranks.rank) / len(batch)
                if ranks.first and not number:
                    part_loss = part_loss + penalty(model)
                if part_loss.requires_grad:  # not where this rank has no share of the part
                    part_loss.backward()
                loss += part_loss.item()

            counted = torch.tensor([loss, float(encoder.tokens)], device=device)
            ranks.sum([*(gradient(tensor) for tensor in parameters.values()), counted])
            norm = torch.nn.utils.clip_grad_norm_(parameters.values(), settings.clip).item()
            loss, tokens = counted.tolist()
            if not math.isfinite(loss) or not math.isfinite(norm):
                raise TrainError(_not_finite(step, loss, norm, batch))
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, steps, settings)
            optimizer.step()
            allocate(model, step)
            optimizer.zero_grad()
            speed = tokens / (time.monotonic() - begun)

            state, metric = replace(state, step=step), None
            if step == steps or step % (settings.evaluate_every or plan.per_epoch) == 0:
                state, metric = evaluate(state)
            journal.step(step, loss=loss, rate=rate_at(step, steps, settings), speed=speed, metric=metric)
            if ranks.first and step % (settings.checkpoint_every or plan.per_epoch) == 0:
                checkpoints.save(state, parameters, state_tensors(optimizer, parameters) | memory(model))
            on_step(step)

    # The best weights, as a model folder that the server loads.
    training = Training(
        made_of=plan.made_of, metric=task.metric, first=state.first, best=state.best, best_step=state.best_step,
        steps=state.step, train_examples=plan.train_examples, valid_examples=len(plan.valid),
        seconds=round(time.monotonic() - started, 1), ranks=ranks.world, versions=versions(),
    )  # fmt: skip
    if ranks.first:
        if state.best is not None:
            put(parameters, checkpoints.load_best(state.best_step))
        model = merged(model)
        task.finish(model)
        served = task.settings(max_tokens, shape.hidden)
        served = replace(served, pooling=job.pooling) if served.head == "embed" else served
        finish(model, served, job.base, job.output, training)
    ranks.agree(0)  # nobody leaves before the folder is whole
    return training


def _step_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def _not_finite(step: int, loss: float, norm: float, batch: Sequence[Example]) -> str:
    rows = ", ".join(str(example.row) for example in batch[:32])
    return (
        f"step {step}: loss is {loss}, the gradient's length {norm}; the batch is rows {rows} of the examples. Nothing "
        "was written since the last checkpoint; look at these rows, or train with a lower rate"
    )


def _plan_told(train: int, valid: int, steps: int, at: int) -> str:
    best = f"{valid:,} to choose the best weights by" if valid else "none to choose the best weights by: the last stay"
    return f"{train:,} examples to learn from, {best}; {steps:,} steps" + (f", going on behind {at:,}" if at else "")
