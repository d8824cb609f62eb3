"""What the registry's verbs share: their options, how they speak, and which error ends with which exit code."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from typing import NoReturn

from model_image.artefact import DIGEST, ArtefactError
from model_image.channel import Channel, ChannelError
from model_image.cli_parser import parser as parser
from model_image.evaluation import EvaluationError
from model_image.registry import Registry, check_model
from model_image.registry.keys import RELEASES
from model_image.registry_errors import GateError, RegistryError
from model_image.stores import StoreError

POLL_SECONDS = 5
"""How often a server looks at its channel unless SERVING_POLL_SECONDS says otherwise."""

S3_HELP = "S3 is reached with the AWS SDK's own variables (AWS_REGION, AWS_ENDPOINT_URL, AWS_PROFILE, ...).\n"


class InputError(Exception):
    """The command line says something that cannot be; the message names field, value, rule and way out."""


def add_place(to: argparse.ArgumentParser) -> None:
    """Which registry and which channel."""
    to.add_argument("--registry", required=True, help="s3://<bucket> or an existing folder")
    to.add_argument("--model", default="search", help="name of the channel (default: search)")


def add_reason(to: argparse.ArgumentParser, *, why: str | None) -> None:
    """Who and why; without a default `why` is required."""
    user = os.environ.get("USER", f"uid {os.getuid()}")
    to.add_argument("--who", default=user, help="for the channel's history (default: your user name)")
    to.add_argument("--why", default=why, required=why is None, help="for the channel's history")


def run(act: Callable[[], None]) -> int:
    """Do what the verb does: 0 done, 1 failed, 2 bad input. Errors go to stderr."""
    try:
        act()
    except InputError as error:
        say(f"error: {error}")
        return 2
    except GateError as error:
        say(f"error: {error}:")
        for reason in error.reasons:
            say(f"  {reason}")
        if error.steps:
            say("to evaluate it beside the stable release and record that (--data: what scripts/prepare wrote):")
            for step in error.steps:
                say(f"  {step}")
        say("or promote it nevertheless with --force --why REASON, which the history keeps")
        return 1
    except (ArtefactError, ChannelError, EvaluationError, RegistryError, StoreError, OSError) as error:
        say(f"error: {error}")
        return 1
    return 0


def resolve(registry: Registry, model: str, text: str) -> str:
    """The whole digest that begins with `text`, with or without `sha256-`. Raises `InputError` unless there is one."""
    if DIGEST.fullmatch(text):
        return text
    wanted = text if text.startswith("sha256-") else f"sha256-{text}"
    found = [each for each in registry.store.folders(f"{RELEASES}{check_model(model)}/") if each.startswith(wanted)]
    if len(found) != 1:
        rule = f"the digest of one release, or enough of its beginning; {len(found)} begin like that"
        _refuse(f"digest: {text!r}, expected {rule}; scripts/releases list shows them")
    return found[0]


def told(before: Channel, now: Channel, back: str) -> str:
    """What a move did, for somebody who was woken by it. `back` is the command that undoes it."""
    if now.etag == before.etag:
        return f"{now.model}: nothing to change\n{_state('now', now)}"
    return (
        f"{now.model}:\n{_state('before', before)}\n{_state('now', now)}\n"
        f"  servers look every {POLL_SECONDS} s; one that has the release takes it then, the others once they have\n"
        f"  downloaded and tried it (minutes for a large one). Until then the former one answers.\n"
        f"  way back: {back}"
    )


def command(verb: str, arguments: argparse.Namespace, *words: str) -> str:
    """A command line for the same registry and model, ready to be pasted."""
    return shlex.join([f"scripts/{verb}", "--registry", arguments.registry, "--model", arguments.model, *words])


def say(text: str) -> None:
    """Tell on stderr; stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def _state(when: str, channel: Channel) -> str:
    canary = f", canary {channel.canary} for {channel.canary_percent} %" if channel.canary else ""
    return f"  {when + ':':8}stable {channel.stable or 'nothing'}{canary}"


def _refuse(text: str) -> NoReturn:
    raise InputError(text)
