import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but importing the AWS SDK warns about each of its own modules that has a new name."""
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:pulumi_aws")
