"""The fixtures of everything that talks to the loopback Hub."""

from hubfixtures import cache, clean_environment, hub, no_memory_of_hosts, no_name_lookups

__all__ = ["cache", "clean_environment", "hub", "no_memory_of_hosts", "no_name_lookups"]
