"""The tables of accounts, split by concept."""

from accounts.models.audit import AuditEntry, SyncCall, Tracked
from accounts.models.jobs import JobRun, JobState
from accounts.models.keys import ApiKey, IdempotentResponse
from accounts.models.rejected import RejectedRecord, RejectedState
from accounts.models.users import Team, User
from accounts.models.webhooks import Delivery, DeliveryState, Event, Pause, Webhook

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Delivery",
    "DeliveryState",
    "Event",
    "IdempotentResponse",
    "JobRun",
    "JobState",
    "Pause",
    "RejectedRecord",
    "RejectedState",
    "SyncCall",
    "Team",
    "Tracked",
    "User",
    "Webhook",
]
