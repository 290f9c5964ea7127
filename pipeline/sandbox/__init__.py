"""A local Clockify and a local QuickBooks over real HTTP: the other side of the wire.

Imports nothing from the rest of `pipeline`, and nothing there imports this.
"""
