"""Clockify over HTTP: one workspace's people, projects and entries. Keeps out what they mean."""
