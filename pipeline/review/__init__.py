"""Review: what may be billed, to whom, and why not. Rules and matching are pure.

Keeps out what was sent (`ledger`) and sending (`delivery`).
"""
