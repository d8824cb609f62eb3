"""Listing everything an AWS API has, however many pages it takes."""

from typing import Any


def everything(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """All items under ``key`` of every page of a boto3 client's list operation."""
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]
