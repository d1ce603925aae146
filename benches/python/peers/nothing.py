"""A program that needs nothing."""
