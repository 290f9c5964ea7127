"""Extract: Clockify's entries in the warehouse, whole days at a time, nothing half.

Keeps out HTTP (`clockify`) and every judgement (`review`).
"""
