"""The account that a program works in, as policies speak of it."""

import pulumi
import pulumi_aws as aws
from pulumi import Output, Resource

from infra.aws.policies import Scope
from infra.names import Names


def scope_output(names: Names, region: str, parent: Resource) -> Output[Scope]:
    """The environment's scope in the account of the provider that `parent` has."""
    account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent)).account_id
    return account.apply(lambda account: Scope(names=names, account=account, region=region))
