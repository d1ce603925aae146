"""A program that needs the Authorization header as soon as it starts; with an argument it needs nothing."""

import sys

if len(sys.argv) == 1:
    import clazar_auth

    clazar_auth.TokenProvider.from_env().authorization()
print("ready", flush=True)
