"""The metrics of our own that instances publish: policies scale on them, alarms and the dashboard show them.

Their namespace is `Names.metrics_namespace()`. Each has the dimension Slot; START_SECONDS has also Phase.
"""

# Texts admitted by one server and not yet computed; one value per instance, so that the average is per instance.
QUEUED_TEXTS = "QueuedTexts"
# How long a request that comes now would wait in one server, as the server itself predicts.
QUEUED_SECONDS = "QueuedSeconds"
# Seconds that one phase of an instance's start took.
START_SECONDS = "StartSeconds"
# One for each notice that a spot instance will be taken back.
SPOT_INTERRUPTIONS = "SpotInterruptions"

SLOT, PHASE = "Slot", "Phase"
# In this order: the machine until user data runs, the GPU's driver, the image's pull, the release's download, its
# warm-up, and the group's own time from the ready server until it says InService.
PHASES = ("boot", "driver", "image", "weights", "warm-up", "in-service")
