"""Terraform's plugin protocol 5, compiled in memory from `tfplugin.proto` (no generated code is kept)."""

from typing import Any

import grpc

# Dynamic modules: the message and stub classes exist only at run time, hence Any.
messages: Any
services: Any
messages, services = grpc.protos_and_services("scripts/localcloud/aws/bridge/tfplugin.proto")
