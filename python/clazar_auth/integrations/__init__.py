"""Adapters to HTTP libraries. None is imported before it is used."""
