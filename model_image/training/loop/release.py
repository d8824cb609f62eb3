"""The end of the loop: a release on trial beside the stable one, if nothing that was measured speaks against it."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from model_image.channel import Channel
from model_image.evaluation import Evaluation
from model_image.index import read_index
from model_image.layout import BEHAVIOUR, LEXICAL, RANKERS
from model_image.registry import Registry, gated
from model_image.signals.errors import SignalsError
from model_image.signals.ranking import load_ranking
from model_image.training.loop.errors import step
from model_image.training.loop.learn import Say

WHO = "model_image.training.loop"
WHY = "the daily training"


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The channel and the folder of its stable release, if any; `whole` unless its rankers cannot be read."""

    channel: Channel
    folder: Path | None = None
    whole: bool = True


def stable_of(registry: Registry, model: str, releases: Path, say: Say) -> Serving:
    """Downloaded into `releases`, unless it is there. Raises `LoopError`."""
    with step("stable release"):
        channel = registry.channel(model)
        if channel.stable is None:
            return Serving(channel=channel)
        say(f"download {channel.stable}, which serves")
        folder = releases / channel.stable
        registry.download(model, channel.stable, folder)
        return Serving(channel=channel, folder=folder, whole=_whole(folder, say))


def _whole(folder: Path, say: Say) -> bool:
    """Whether this code reads the rankers of the downloaded release. If not they are taken out of the folder, or no
    release could be compared with it ever after, and so none follow it."""
    index, whole = read_index(folder), True
    for parts in ((RANKERS,), (BEHAVIOUR, LEXICAL)):
        try:
            load_ranking(folder, index)
            break
        except SignalsError as error:
            whole = False
            say(f"{folder.name} is measured without {', '.join(parts)}, so weaker than it serves: {error}")
            for part in parts:
                _remove(folder / part)
    return whole


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A built release: `evaluate` measures it, or returns None where nothing can be, `seal` returns its digest."""

    folder: Path
    evaluate: Callable[[], Evaluation | None]
    seal: Callable[[Evaluation | None], str]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """`percent` of the users meet the release, all of them where it is to `promote`; `budget` as the gate has it."""

    percent: int
    promote: bool
    budget: float


def put_on_trial(registry: Registry, serving: Serving, offers: Iterable[Offer], terms: Terms, say: Say) -> str | None:
    """Seal and publish the first of `offers` that the gate has nothing against, and let it answer some of the users;
    the first release of a channel answers all, and beside a stable one that is not whole none is promoted.

    None, and nothing published, where there is no such offer. Raises `LoopError`.
    """
    channel = serving.channel
    for offer in offers:
        evaluation = offer.evaluate()
        with step("gate"):  # it is not published yet, so its evaluation is not in the registry
            measured = [] if evaluation is None else [evaluation]
            against = gated.objections(registry, channel, "", measured, budget=terms.budget)
        if not against:
            return _published(registry, serving, offer, evaluation, terms, say)
        say(f"{offer.folder.name} is not published:")
        for reason in against:
            say(f"  {reason}")
    say(f"{channel.stable} goes on serving")
    return None


def _published(
    registry: Registry, serving: Serving, offer: Offer, evaluation: Evaluation | None, terms: Terms, say: Say
) -> str:
    channel = serving.channel
    with step("publish"):
        digest = offer.seal(evaluation)
        say(f"publish {digest}")
        registry.publish(offer.folder)
    promote = not channel.stable or (terms.promote and serving.whole)
    with step("promote" if promote else "canary"):
        if promote:
            gated.promote(registry, channel.model, digest, who=WHO, why=WHY, budget=terms.budget, seen=channel)
            say(f"stable is {digest}; back with scripts/rollback")
        else:
            _canary(registry, serving, digest, terms.percent, say)
    return digest


def _canary(registry: Registry, serving: Serving, digest: str, percent: int, say: Say) -> None:
    channel = serving.channel
    if channel.canary not in (None, digest):
        say(f"ends the trial of {channel.canary}, which answered {channel.canary_percent} % of the users")
    registry.canary(channel.model, digest, percent, who=WHO, why=WHY, seen=channel)
    if not serving.whole:
        say("not for all users at once: it was compared with less than what serves; watch the trial")
    say(f"{digest} answers {percent} % of the users; go on with scripts/promote, or scripts/canary --end")
