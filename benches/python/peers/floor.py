"""The least that the header can cost: a method in C without arguments, with and without a look at the clocks."""

import sys

# The folder of what benches/python/floor.c makes.
sys.path.insert(0, "target/bench")


def ways():
    from c_floor import Floor

    floor = Floor()
    return {"authorization": floor.object, "clock_and_object": floor.clock_and_object}
