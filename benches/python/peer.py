"""Answers the lines of benches/measure.py for a Python program that needs the Authorization header; benches/rust/protocol
says what each asks for.

usage: peer.py NAME [header | nothing | import | memory], the module of benches/python/peers
"""

import sys

# Nothing else is imported here, so that all that is measured is the peer.


def load(name: str):
    return getattr(__import__(f"peers.{name}"), name)


def header(name: str) -> None:
    load(name).ways()["authorization"]()


def seconds_to_import(name: str) -> None:
    import time

    start = time.perf_counter()
    load(name)
    print(time.perf_counter() - start)


def kilobytes(name: str) -> None:
    load(name)
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmRSS")))


if __name__ == "__main__":
    name, *command = sys.argv[1:]
    if command == ["header"]:
        header(name)
        print("ready")
    elif command == ["nothing"]:
        print("ready")
    elif command == ["import"]:
        seconds_to_import(name)
    elif command == ["memory"]:
        kilobytes(name)
    else:
        from answer import answer

        answer(load(name).ways())
