"""A shard that is prepared already: what is run again by itself, as the pod of a Job is, has nothing to do."""

from model_image.training.data import manifest, tablefile
from model_image.training.data.errors import InputError, RunError
from model_image.training.data.pseudonyms import Pseudonyms
from model_image.training.data.settings import Settings
from model_image.training.data.shards import difference, opened, refuse_damage
from model_image.training.dataset import PREPARED, Prepared


def find_again(settings: Settings, pseudonyms: Pseudonyms | None, *, same_now: bool) -> Prepared | None:
    """What is at `settings.target` where that was prepared of the same inputs, settings, code and key and is
    undamaged, of the same `now` too where `same_now`; None where no prepared folder is there.

    Raises `InputError` naming what differs, `RunError` for the machine.
    """
    target = settings.target
    if not (target / PREPARED).is_file():
        return None
    try:
        shard = opened(target)
        refuse_damage(shard)
        told = _difference(shard.prepared, settings, pseudonyms, same_now=same_now)
    except InputError as error:
        told = str(error)
    except OSError as error:
        raise RunError(f"{target}: cannot be compared with what is asked for ({error})") from error
    if told:
        raise InputError(
            f"{target}: is there already, expected a new folder or this shard as it is asked for ({told}); name "
            "another or remove it"
        )
    return shard.prepared


def _difference(there: Prepared, settings: Settings, pseudonyms: Pseudonyms | None, *, same_now: bool) -> str:
    files = {name: tablefile.find(name, given) for name, given in settings.inputs.items()}
    inputs = manifest.inputs(files) | manifest.model_inputs(settings.model)
    told = difference("settings", there.settings, settings.described())
    told = told or difference("inputs", there.inputs, inputs)
    if not told and there.key != manifest.key_mark(pseudonyms):
        told = "key: another, by which a user has another name"
    if not told and same_now and there.created != manifest.created(settings):
        told = f"created is {there.created}, expected {manifest.created(settings)} as --now has it"
    return told
