"""People and keys: users, roles, teams, API keys, the audit log, and who sees what."""
