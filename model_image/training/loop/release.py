"""The end of the loop: a release on trial beside the stable one, if nothing that was measured speaks against it."""

from collections.abc import Callable
from pathlib import Path

from model_image.channel import Channel
from model_image.evaluation import Evaluation
from model_image.promotion import Objection
from model_image.registry import Registry, gated
from model_image.training.loop.errors import step
from model_image.training.loop.learn import Say

WHO = "model_image.training.loop"
WHY = "the daily training"


def stable_of(registry: Registry, model: str, work: Path, say: Say) -> tuple[Channel, Path | None]:
    """The channel, and the folder of its stable release, if any. Raises `LoopError`."""
    with step("stable release"):
        channel = registry.channel(model)
        if channel.stable is None:
            return channel, None
        say(f"download {channel.stable}, which serves")
        folder = work / channel.stable
        registry.download(model, channel.stable, folder)
        return channel, folder


def put_on_trial(
    registry: Registry,
    channel: Channel,
    folder: Path,
    evaluation: Evaluation,
    *,
    percent: int,
    promote: bool,
    seal: Callable[[], str],
    say: Say,
) -> str | None:
    """Seal and publish `folder`, and let it answer `percent` of the users, or all where it is to be promoted or is the
    first. None, and nothing published, where the gate speaks against it. Raises `LoopError`."""
    against = gate(registry, channel, evaluation)
    if against:
        say(f"not published, {channel.stable} goes on serving:")
        for reason in against:
            say(f"  {reason}")
        return None
    with step("publish"):
        digest = seal()
        say(f"publish {digest}")
        registry.publish(folder)
    with step("promote" if promote or not channel.stable else "canary"):
        if promote or not channel.stable:
            gated.promote(registry, channel.model, digest, who=WHO, why=WHY, seen=channel)
            say(f"stable is {digest}; back with scripts/rollback")
        else:
            registry.canary(channel.model, digest, percent, who=WHO, why=WHY)
            say(f"{digest} answers {percent} % of the users; go on with scripts/promote, or scripts/canary --end")
    return digest


def gate(registry: Registry, channel: Channel, evaluation: Evaluation) -> tuple[Objection, ...]:
    """What speaks against a release that is not published yet."""
    return gated.objections(registry, channel, "", [evaluation])
