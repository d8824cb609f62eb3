"""A renewed certificate reaches a running server: the kubelet swaps the files of a mounted Secret in place."""

import hashlib
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from model_image.server.logs import log
from model_image.server.metrics import Metrics

CHECK_SECONDS = 60.0
"""The kubelet itself takes about as long to bring a renewed Secret to its node."""

_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h; Python has no name for it."""


class Certificate:
    """The pair that new connections get. Connections that exist keep theirs.

    Each pair gets a context of its own, and one assignment puts it into service: what was tried is what is shown. To
    load it from another thread into the context that listens crashed the process under load (SIGSEGV, measured).
    """

    def __init__(
        self, listening: ssl.SSLContext, cert: Path, key: Path, metrics: Metrics, client_ca: Path | None = None
    ) -> None:
        """`listening` is the context the web server accepts with; its pair is shown until `check` takes one.

        With `client_ca` only clients with a certificate of those authorities get through; the file is looked at with
        the pair. That one is asked for comes from `listening`, what it is checked against from the one in service.
        """
        self._current = listening
        self._cert = cert
        self._key = key
        self._client_ca = client_ca
        self._metrics = metrics
        self._taken = b""
        self._refused = ""
        # Called for each handshake, also for those that name no server, before a certificate is chosen.
        listening.sni_callback = self._choose
        if client_ca:
            # A session taken up again is not checked again: whoever was let in would stay so for hours after the
            # authority was withdrawn (tried). Before TLS 1.3 Python cannot switch this off.
            listening.minimum_version, listening.num_tickets = ssl.TLSVersion.TLSv1_3, 0

    def start(self, seconds: float) -> None:
        """Check now and then `seconds` apart, on a daemon thread that ends with the process."""
        self.check()

        def run() -> None:
            pause = threading.Event()
            while not pause.wait(seconds):
                self.check()

        threading.Thread(target=run, name="certificate", daemon=True).start()

    def check(self) -> None:
        """Take the pair in the files if it is not the one in service and a client gets through with it. Never raises.

        Dates are not judged: an expired pair is taken like at a start, and the gauge tells.
        """
        try:
            files = [file for file in (self._cert, self._key, self._client_ca) if file]
            found = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).digest()
            if found != self._taken:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self._cert, self._key, password="")  # never ask a terminal for it
                expiry = _try(context, self._cert)
                if self._client_ca:
                    context.load_verify_locations(self._client_ca)
                    context.verify_mode = ssl.CERT_REQUIRED
                self._current, self._taken = context, found
                self._metrics.certificate_expiry.set(expiry)
                not_after = datetime.fromtimestamp(expiry, UTC).isoformat()
                log.info("certificate taken", extra={"fields": {"not_after": not_after}})
            self._refused = ""
        except Exception as error:  # whatever the files hold, the pair in service stays
            reason = f"{type(error).__name__}: {error}"
            if reason != self._refused:
                fields = {"certificate": str(self._cert), "key": str(self._key), "reason": reason}
                log.warning("certificate refused", extra={"fields": fields})
            self._refused = reason

    def _choose(self, connection: ssl.SSLObject, name: str | None, listening: ssl.SSLContext) -> None:
        connection.context = self._current


def _try(context: ssl.SSLContext, trusted: Path) -> float:
    """Shake hands with `context` in memory, as a client that trusts the certificates in `trusted`.

    Returns when its certificate ends (unix seconds), which only a client is told by Python's ssl.
    Raises `ssl.SSLError` or `OSError`.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    client.load_verify_locations(trusted)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(down, up), context.wrap_bio(up, down, server_side=True)
    while True:
        try:
            asking.do_handshake()
            break
        except ssl.SSLWantReadError:
            with suppress(ssl.SSLWantReadError):
                answering.do_handshake()
    told = asking.getpeercert()
    assert told
    return ssl.cert_time_to_seconds(str(told["notAfter"]))
