"""QuickBooks over HTTP: its client, Intuit's consent and tokens, and what its answers say.

Keeps out what is sent, and when (`delivery`).
"""
