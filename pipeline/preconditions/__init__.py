"""The preconditions of a good morning's run, in the order in which a person puts things right.

Each is one entry in the file of its side. Keeps out how facts are come by (`examination`) and how
findings are made of them (`doctor`).
"""

from pipeline.preconditions import clockify, machine, names, quickbooks

PRECONDITIONS = (
    *clockify.PRECONDITIONS,
    *quickbooks.PRECONDITIONS,
    *names.PRECONDITIONS,
    *machine.PRECONDITIONS,
)
