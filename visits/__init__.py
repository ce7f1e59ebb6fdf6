"""Visits, cadences, occasions and reminders."""
