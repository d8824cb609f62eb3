"""The three production examples, declared once: most promises only look at what was declared."""

from functools import cache

from tests.infra.engine import Declaration, declare
from tests.infra.settings import DIGEST, REFERENCES, aws_example, example


@cache
def aws_site() -> Declaration:
    from stacks import aws

    return declare(aws.main, stack="prod-aws", config=aws_example())


@cache
def onprem_site() -> Declaration:
    from stacks import onprem

    config = example("onprem", {"image.digest": DIGEST})
    return declare(onprem.main, stack="prod-onprem", config=config, references=REFERENCES)


@cache
def dns_split() -> Declaration:
    from stacks import dns

    return declare(dns.main, stack="prod-dns", config=example("dns"), references=REFERENCES)
