"""Folders of heart sound recordings."""
