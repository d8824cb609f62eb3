"""The systemd units of an instance, and the commands of its first start. Pure functions.

What fails is started again, and no unit needs another one's success but docker's: no order of failures leaves an
instance that never serves, or never ends.
"""

# The server's user inside the image; /var/lib/serving must be its own.
USER = 10001
# A slow start (image, weights and warm-up of a big model) is not a failed one; the group gives up then, too.
START_SECONDS = 1800
# Above the load balancer's draining time, so that a stop never cuts a request.
STOP_SECONDS = 90

KEYS = "serving-keys.service"
# docker may run already: it is asked what the machine brought, and then must not hold files below the folders that the
# local disk takes over.
BOOT = [
    ["env", "RUNTIME_DIRECTORY=/run/serving", "/usr/local/sbin/serving-phase", "boot"],
    ["systemctl", "daemon-reload"],
    ["systemctl", "start", "docker.service"],
    ["/usr/local/sbin/serving-brought"],
    ["systemctl", "stop", "docker.socket", "docker.service", "containerd.service"],
    ["systemctl", "enable", "--now", "serving-disk.service"],
    ["systemctl", "enable", "--now", "--no-block", "serving.service", "serving-ready.service", "serving-watch.service"],
]


def boot(api_keys: bool) -> list[list[str]]:
    """The commands of the first start."""
    return [*BOOT[:-1], [*BOOT[-1], KEYS]] if api_keys else BOOT


def units(slot: str, gpu: bool, api_keys: bool = False) -> dict[str, str]:
    """Unit name to its text."""
    keys = {KEYS: _agent("Keep the API keys as the parameter has them", "serving-keys watch")} if api_keys else {}
    return keys | {
        "serving-disk.service": _DISK,
        "serving.service": _server(slot, gpu, api_keys),
        "serving-ready.service": _agent("Tell the group when this instance serves", "serving-run ready"),
        "serving-watch.service": _agent("Watch for the end of this instance", "serving-watch"),
    }


_DISK = """\
[Unit]
Description=The local disk for images, where the machine has one
After=dlami-nvme.service
Before=docker.service containerd.service

[Service]
EnvironmentFile=/etc/serving/host.env
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/serving-disk

[Install]
WantedBy=multi-user.target
"""

_COMMON = """\
StartLimitIntervalSec=0

[Service]
Environment=HOME=/root
EnvironmentFile=/etc/serving/host.env
RestartSec=5
"""


def _server(slot: str, gpu: bool, api_keys: bool) -> str:
    keys = "ExecStartPre=/usr/local/sbin/serving-keys\n" if api_keys else ""
    driver = "ExecStartPre=/usr/local/sbin/serving-driver\n" if gpu else ""
    # Not every driver that answers on the machine also answers in a container.
    look = "docker run --rm --pull never --network none --gpus all --entrypoint nvidia-smi ${IMAGE} --list-gpus"
    seen = f"ExecStartPre={look}\n" if gpu else ""
    return f"""\
[Unit]
Description=The serving image, slot {slot}
After=docker.service network-online.target serving-disk.service
Wants=network-online.target
Requires=docker.service
{_COMMON}\
RuntimeDirectory=serving
RuntimeDirectoryPreserve=yes
ExecStartPre=install --directory --owner {USER} --group {USER} /var/lib/serving
{keys}\
{driver}\
ExecStartPre=/usr/local/sbin/serving-phase driver
ExecStartPre=/usr/local/sbin/serving-pull
ExecStartPre=/usr/local/sbin/serving-phase image
{seen}\
ExecStart=/usr/local/sbin/serving-run server{" --gpus all" if gpu else ""}
ExecStop=docker stop -t {STOP_SECONDS} serving-server
TimeoutStartSec={START_SECONDS}
TimeoutStopSec={STOP_SECONDS + 10}
Restart=always

[Install]
WantedBy=multi-user.target
"""


def _agent(description: str, command: str) -> str:
    return f"""\
[Unit]
Description={description}
After=serving.service
{_COMMON}\
ExecStart=/usr/local/sbin/{command}
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
