"""Delivery: how accepted entries become time activities, once each, and stand as they were sent.

In the order of a load (`loading`): `opening`, `settlement`, `planning`, `confirmation`, `sending`,
`reconciliation`. Keeps out HTTP (`quickbooks`) and what a report shows (`reports`).
"""
