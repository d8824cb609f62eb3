"""Promotion by evaluation, and the way around it that leaves a trace."""

import shlex
from collections.abc import Iterable

from model_image import promotion
from model_image.channel import Channel
from model_image.evaluation import Evaluation
from model_image.promotion import EVALUATE, LATENCY_BUDGET, Objection
from model_image.registry.evaluations import Found
from model_image.registry.registry import Registry
from model_image.registry_errors import GateError, RegistryError, ReleaseNotFoundError


def promote(
    registry: Registry,
    model: str,
    digest: str,
    *,
    who: str,
    why: str,
    force: bool = False,
    budget: float = LATENCY_BUDGET,
    seen: Channel | None = None,
) -> Channel:
    """Make a release stable that passes the gate, and return the new channel. The first one needs no evaluation.

    Raises `GateError` with the reasons against it. `force` goes on nevertheless, and the history keeps the reasons
    beside `why`, which may not be empty then. Judged and moved on one and the same channel: `ChannelConflictError`
    where another release became stable in between.
    """
    if force and not why.strip():
        raise RegistryError("why: empty, expected the reason to promote against the gate; give it with --why")
    seen = seen or registry.channel(model)
    candidate = registry.find_evaluations(model, digest)
    told = _objections(registry, seen, digest, candidate, budget)
    reasons = tuple(str(each) for each in told)
    if reasons and not force:
        steps = _steps(registry, told, model, digest, str(seen.stable))
        raise GateError(f"{registry}: {digest} does not become stable for {model}", reasons, steps)
    metrics = promotion.headline(candidate.evaluations)
    return registry.promote(model, digest, who=who, why=why, metrics=metrics, forced=reasons, seen=seen)


def promote_published(registry: Registry, model: str, digest: str, *, who: str, why: str) -> Channel:
    """`promote` for whoever just published: without the gate where nothing stable was ever evaluated either.

    That is how release 0 follows release 0 as the catalogue changes. A release that was evaluated is never pushed
    aside by one that was not.
    """
    seen = registry.channel(model)
    if any(registry.find_evaluations(model, digest)) or any(_find(registry, model, seen.stable)):
        return promote(registry, model, digest, who=who, why=why, seen=seen)
    return registry.promote(model, digest, who=who, why=why, seen=seen)


def evaluated_stable(registry: Registry, model: str) -> str | None:
    """The stable release, where something was ever measured of it."""
    stable = registry.channel(model).stable
    return stable if any(_find(registry, model, stable)) else None


def objections(
    registry: Registry, seen: Channel, digest: str, candidate: list[Evaluation], *, budget: float = LATENCY_BUDGET
) -> tuple[Objection, ...]:
    """What speaks against `digest` with the evaluations `candidate` as the next stable release of `seen`."""
    return _objections(registry, seen, digest, Found(candidate, ()), budget)


def _objections(
    registry: Registry, seen: Channel, digest: str, candidate: Found, budget: float
) -> tuple[Objection, ...]:
    if seen.stable in (None, digest):
        return ()
    assert seen.stable is not None
    of_stable = _find(registry, seen.model, seen.stable)
    told = promotion.objections(candidate.evaluations, seen.stable, of_stable=of_stable.evaluations, budget=budget)
    return (*promotion.unreadable((*candidate.unreadable, *of_stable.unreadable)), *told)


def _find(registry: Registry, model: str, stable: str | None) -> Found:
    """Those of a release that may be gone from the registry: then none."""
    try:
        return registry.find_evaluations(model, stable) if stable else Found([], ())
    except ReleaseNotFoundError:
        return Found([], ())


def _steps(registry: Registry, told: Iterable[Objection], model: str, candidate: str, stable: str) -> tuple[str, ...]:
    """The commands that make and record the evaluation that `told` asks for; none where it asks for none."""
    if not any(each.way_out == EVALUATE for each in told):
        return ()
    place = shlex.join(["--registry", str(registry), "--model", model])
    return (
        f"scripts/releases get {place} {candidate} candidate",
        f"scripts/releases get {place} {stable} stable",
        "scripts/evaluate --data DATA --release candidate --against stable --out E",
        f"scripts/releases record {place} {candidate} E/evaluation.json",
    )
