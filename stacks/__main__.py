"""The program of every stack: the last part of the stack's name says which of the three it is."""

import sys
from importlib import import_module
from pathlib import Path

import pulumi

ROLES = ("aws", "onprem", "dns")

# The engine puts this folder on the path; the components live beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

stack = pulumi.get_stack()
role = stack.rpartition("-")[2]
if role not in ROLES or role == stack:
    sys.exit(f"the stack is called {stack!r}: <environment>-<role> is needed, role one of {', '.join(ROLES)}")
# Imported by name, so that a preview of one role does not wait for the SDK of the other.
import_module(f"stacks.{role}").main()
