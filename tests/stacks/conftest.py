from tests.infra.conftest import pytest_configure

__all__ = ["pytest_configure"]
