"""What customers and servers see of TLS here: one authority, the service's name, and the VPC endpoint's address.

In production the load balancer's certificate is ACM's and the site's is the company's; here both sites show
certificates of this authority, because ACM never gives a private key out.
"""

from pathlib import Path

from scripts.localcloud import topology
from scripts.localcloud.certificates import Authority, Subject
from scripts.localcloud.files import write_secret

SUBJECTS = {
    "service": Subject(name=topology.SERVICE_NAME, hosts=(topology.SERVICE_NAME,)),
    "endpoint": Subject(name="VPC endpoint", addresses=(topology.VPC_ENDPOINT,)),
}


def ensure(folder: Path) -> None:
    """Write what is missing into ``folder``; a half-written set is made anew.

    ``ca.pem``; for ``service`` and ``endpoint`` each ``<name>.crt``, ``<name>.key`` and ``<name>-haproxy.pem`` (both in
    one file, as HAProxy reads them). Whatever holds a key has mode 0600.
    """
    if (folder / "whole").exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = Authority("Hybrid Serving local cloud")
    authority.write(folder / "ca.pem")
    for name, subject in SUBJECTS.items():
        authority.issue(subject, folder, name)
        parts = [(folder / f"{name}.{kind}").read_bytes() for kind in ("crt", "key")]
        write_secret(folder / f"{name}-haproxy.pem", b"".join(parts))
    (folder / "whole").touch()
