"""What the registry holds, as a person or a script wants to see it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from model_image import promotion
from model_image.channel import Change, Channel
from model_image.channel_collecting import held
from model_image.channel_rollback import way_back
from model_image.registry.collection import Plan
from model_image.registry.registry import Registry


def releases(registry: Registry, model: str) -> list[dict[str, Any]]:
    """Published releases, the oldest first: digest, created, size in bytes, place in the channel, main numbers, and
    which evaluations cannot be read."""
    channel, rows = registry.channel(model), []
    for manifest in registry.releases(model):
        found = registry.find_evaluations(model, manifest.digest)
        rows.append(
            {
                "digest": manifest.digest,
                "created": manifest.created,
                "size": manifest.size,
                "place": _place(channel, manifest.digest),
                "metrics": promotion.headline(found.evaluations),
                "unreadable": found.unreadable,
            }
        )
    return rows


def release(registry: Registry, model: str, digest: str) -> dict[str, Any]:
    """Everything about one release: manifest, evaluations, and where it is named."""
    channel, manifest = registry.channel(model), registry.manifest(model, digest)
    found = registry.find_evaluations(model, digest)
    return {
        "digest": digest,
        "place": _place(channel, digest),
        "ways_back_before_it": _index(way_back(channel), digest),
        "history": [change for change in channel.history if change.release == digest],
        "size": manifest.size,
        "manifest": manifest,
        "evaluations": [msgspec.to_builtins(each) for each in found.evaluations],
        "unreadable": found.unreadable,
    }


def releases_table(rows: Sequence[dict[str, Any]]) -> str:
    """One line per release; digests are cut to what a verb takes."""
    shown = []
    for row in rows:
        told = "; ".join([_numbers(row["metrics"]), *(f"cannot be read: {each}" for each in row["unreadable"])])
        shown.append([short(row["digest"]), row["created"], _megabytes(row["size"]), row["place"], told.lstrip("; ")])
    return table(["release", "created", "size", "place", "metrics"], shown)


def history_table(changes: Iterable[Change]) -> str:
    """One line per change, the oldest first, and one more per objection that was overridden."""
    rows = []
    for change in changes:
        what = change.action + (", forced" if change.forced else "")
        rows.append([change.when, what, short(change.release), change.who, _numbers(change.metrics), change.why])
        rows += [["", "", "", "", "", f"overridden: {reason}"] for reason in change.forced]
    return table(["when", "what", "release", "who", "metrics", "why"], rows)


def plan_table(plan: Plan) -> str:
    """One line per release and leftover, with what becomes of it."""
    rows = []
    for each in plan.candidates:
        goes = "goes" if each.published else "goes: never finished, or half gone"
        what = f"stays: {each.stays}" if each.stays else goes
        rows.append([short(each.digest), _day(each.modified), _megabytes(each.size), what])
    for left in plan.leftovers:
        rows.append([left.key, _day(left.modified), _megabytes(left.size), f"goes: {left.what}"])
    return table(["release", "written", "size", "what"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the last one is not padded."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def short(digest: str) -> str:
    """Enough of a digest to tell it from others, and for every verb to find it by."""
    return digest[: len("sha256-") + 12]


def _place(channel: Channel, digest: str) -> str:
    if digest in channel.collecting:
        return "being removed"
    if digest == channel.canary:
        return f"canary {channel.canary_percent} %"
    return "stable" if digest == channel.stable else "former" if digest in held(channel) else ""


def _index(way: Sequence[str], digest: str) -> int | None:
    return way.index(digest) if digest in way else None


def _numbers(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _day(modified: float) -> str:
    return datetime.fromtimestamp(modified, UTC).strftime("%Y-%m-%d %H:%M") if modified else "?"
