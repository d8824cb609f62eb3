"""Promotion by evaluation, and the way around it that leaves a trace."""

from model_image import promotion
from model_image.channel import Channel
from model_image.evaluation import Evaluation
from model_image.promotion import LATENCY_BUDGET, Objection
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
    candidate = registry.evaluations(model, digest)
    reasons = tuple(str(each) for each in objections(registry, seen, digest, candidate, budget=budget))
    if reasons and not force:
        raise GateError(f"{registry}: {digest} does not become stable for {model}", reasons)
    metrics = promotion.headline(candidate)
    return registry.promote(model, digest, who=who, why=why, metrics=metrics, forced=reasons, seen=seen)


def promote_published(registry: Registry, model: str, digest: str, *, who: str, why: str) -> Channel:
    """`promote` for whoever just published: without the gate where nothing stable was ever evaluated either.

    That is how release 0 follows release 0 as the catalogue changes. A release that was evaluated is never pushed
    aside by one that was not.
    """
    seen = registry.channel(model)
    if registry.evaluations(model, digest) or _evaluations_of(registry, model, seen.stable):
        return promote(registry, model, digest, who=who, why=why, seen=seen)
    return registry.promote(model, digest, who=who, why=why, seen=seen)


def evaluated_stable(registry: Registry, model: str) -> str | None:
    """The stable release, where something was ever measured of it."""
    stable = registry.channel(model).stable
    return stable if stable and _evaluations_of(registry, model, stable) else None


def objections(
    registry: Registry, seen: Channel, digest: str, candidate: list[Evaluation], *, budget: float = LATENCY_BUDGET
) -> tuple[Objection, ...]:
    """What speaks against `digest` with the evaluations `candidate` as the next stable release of `seen`."""
    if seen.stable in (None, digest):
        return ()
    assert seen.stable is not None
    of_stable = _evaluations_of(registry, seen.model, seen.stable)
    return promotion.objections(candidate, seen.stable, of_stable=of_stable, budget=budget)


def _evaluations_of(registry: Registry, model: str, stable: str | None) -> list[Evaluation]:
    """Those of a release that may be gone from the registry: then none."""
    try:
        return registry.evaluations(model, stable) if stable else []
    except ReleaseNotFoundError:
        return []
