"""What an agent talks to: metadata and server as real HTTP servers, AWS as moto, time as a number."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from moto.autoscaling.models import autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID

from model_image.instance.clock import Stopped
from model_image.server.metrics import Metrics
from scripts.localcloud.aws.moto import lifecycle
from scripts.localcloud.aws.moto.services import GPU_AMI

# moto's state is shared by all tests of a process: nobody else looks into this region.
REGION = "eu-west-1"
LAUNCHED = datetime(2030, 1, 1, tzinfo=UTC)
TOKEN_HEADER, TTL_HEADER = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"


class Clock:
    """Waits by adding. `at` plans what happens after so many seconds; a wait that goes past `stop_after` is stopped."""

    def __init__(self) -> None:
        self.passed, self.stop_after = 0.0, 100_000.0
        self._planned: list[tuple[float, Callable[[], object]]] = []

    def at(self, seconds: float, event: Callable[[], object]) -> None:
        self._planned.append((seconds, event))

    def now(self) -> float:
        return LAUNCHED.timestamp() + self.passed

    def elapsed(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        due = [plan for plan in self._planned if plan[0] <= self.passed]
        self._planned = [plan for plan in self._planned if plan not in due]
        for _, event in sorted(due, key=lambda plan: plan[0]):
            event()
        if self.passed > self.stop_after:
            raise Stopped


class Http:
    """A server on a free port of loopback; `answer` gives status and text for method, path and headers."""

    def __init__(self, answer: Callable[[str, str, Any], tuple[int, str]]) -> None:
        self.asked = asked = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                asked.set()
                status, text = answer(self.command, self.path, self.headers)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = _any

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


class Imds:
    """Instance metadata, version 2: `values` by path, one valid token at a time."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {"/latest/meta-data/autoscaling/target-lifecycle-state": "InService"}
        self.tokens = 0
        self.broken = False
        self.http = Http(self._answer)

    def be(self, instance: str, launched: datetime = LAUNCHED) -> None:
        told = {"instanceId": instance, "pendingTime": launched.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.values["/latest/dynamic/instance-identity/document"] = json.dumps(told)

    def terminate(self) -> None:
        self.values["/latest/meta-data/autoscaling/target-lifecycle-state"] = "Terminated"

    def announce(self, text: str = '{"action": "terminate", "time": "2030-01-01T06:00:00Z"}') -> None:
        self.values["/latest/meta-data/spot/instance-action"] = text

    def _answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        if self.broken:
            return 500, ""
        if (method, path) == ("PUT", "/latest/api/token"):
            if not headers[TTL_HEADER]:
                return 400, ""
            self.tokens += 1
            return 200, f"token-{self.tokens}"
        if headers[TOKEN_HEADER] != f"token-{self.tokens}":
            return 401, ""
        return (200, self.values[path]) if path in self.values else (404, "")


class FakeServer:
    """The server's two pages, with the metrics object of the real one."""

    def __init__(self, clock: Clock) -> None:
        self.metrics = Metrics(clock.now)
        self.is_ready = False
        self.http = Http(self._answer)

    def serve(self) -> None:
        self.metrics.serve("sha256-1")
        self.is_ready = True

    def _answer(self, method: str, path: str, headers: Any) -> tuple[int, str]:
        if path == "/metrics":
            return 200, self.metrics.text().decode()
        return (200 if self.is_ready else 503), "{}"


class Aws:
    """A group of one instance with both hooks, and what CloudWatch got."""

    def __init__(self) -> None:
        self.group = f"fleet-{uuid.uuid4().hex}"
        self.namespace = f"HybridServing/{self.group}"
        self.asg, self.cloudwatch = boto3.client("autoscaling", REGION), boto3.client("cloudwatch", REGION)
        ec2 = boto3.client("ec2", REGION)
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        data = {"ImageId": GPU_AMI, "InstanceType": "g5.xlarge"}
        template = ec2.create_launch_template(LaunchTemplateName=self.group, LaunchTemplateData=data)
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=self.group,
            MinSize=0,
            MaxSize=2,
            DesiredCapacity=1,
            VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"},
            LifecycleHookSpecificationList=[
                {"LifecycleHookName": "ready", "LifecycleTransition": lifecycle.LAUNCHING},
                {"LifecycleHookName": "drain", "LifecycleTransition": lifecycle.TERMINATING},
            ],
        )
        (self.instance,) = self.members()

    def members(self) -> list[str]:
        group = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])["AutoScalingGroups"][0]
        return [member["InstanceId"] for member in group["Instances"]]

    def terminate(self) -> None:
        self.asg.terminate_instance_in_auto_scaling_group(
            InstanceId=self.instance, ShouldDecrementDesiredCapacity=False
        )

    def drain(self) -> None:
        """The instance leaves, and the group waits for its load balancer yet and not for the hook."""
        self.terminate()
        self._ending().lifecycle_state = "Terminating"

    def drained(self) -> None:
        self._ending().lifecycle_state = lifecycle.WAITING

    def _ending(self) -> Any:
        backend = autoscaling_backends[DEFAULT_ACCOUNT_ID][REGION]
        state, _ = lifecycle._ending(backend)[self.instance]
        return state

    def values(self, metric: str, **dimensions: str) -> list[float]:
        """Sums of the published values, in the order of their minutes."""
        now = datetime.now(UTC)
        found = self.cloudwatch.get_metric_statistics(
            Namespace=self.namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Sum"],
        )["Datapoints"]
        return [point["Sum"] for point in found]

    def dimensions(self, metric: str) -> list[dict[str, str]]:
        found = self.cloudwatch.list_metrics(Namespace=self.namespace, MetricName=metric)["Metrics"]
        return [{d["Name"]: d["Value"] for d in one["Dimensions"]} for one in found]
