"""Satellite coverage, service decisions and their record."""
