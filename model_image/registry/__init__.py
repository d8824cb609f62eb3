"""The registry of releases, in S3 or in a folder: `Registry` at the address that `open_registry` takes.

`keys` says where what lies, `gated` promotes by evaluation, `collecting` removes what nobody needs any more.
"""

from model_image.registry.keys import check_model as check_model
from model_image.registry.opening import open_registry as open_registry
from model_image.registry.publishing import Progress as Progress
from model_image.registry.registry import Registry as Registry
