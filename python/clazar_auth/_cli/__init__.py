"""What the command line is made of; a program that imports clazar_auth loads none of it."""

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
