"""Delivery: how accepted entries become time activities, once each, and stand as they were sent.

In the order of a load (`loading`): `opening`, `settlement`, `reconciliation`, `planning`,
`confirmation`, `sending`. Keeps out HTTP (`quickbooks`) and what a report shows (`reports`).
"""
