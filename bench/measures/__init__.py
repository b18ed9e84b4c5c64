"""One question each. ``jobs(plan)`` says what to run, ``sample(peer, ...)`` runs in the worker."""
