"""The commands of `python -m pipeline`, one module each, loaded when it is called.

A module is named as its command and holds a click command named `command`. It says what a person
may ask and shows what came of it; what is done stands in `pipeline`. `pipeline.terminal` has what
they share: the settings, a company, a desk, JSON, progress and exit codes.
"""
