"""The tables of accounts, split by concept."""

from accounts.models.audit import AuditEntry, SyncCall, Tracked
from accounts.models.keys import ApiKey, IdempotentResponse
from accounts.models.users import Team, User

__all__ = ["ApiKey", "AuditEntry", "IdempotentResponse", "SyncCall", "Team", "Tracked", "User"]
