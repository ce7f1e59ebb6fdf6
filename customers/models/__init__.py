"""The tables of the customer file, split by concept."""

from customers.birthdays import Birthday
from customers.models.assignments import AssignedFile, Assignment
from customers.models.cards import IndexCard, NameCore
from customers.models.contacts import BuyingRole, Contact, Gender
from customers.models.customer import (
    Customer,
    CustomerQuerySet,
    DivisionFound,
    Kind,
    Loyalty,
    Status,
    Tier,
)
from customers.models.duplicates import Alias, DuplicatePair, Merge, PairState
from customers.models.handovers import HandOver
from customers.models.imports import (
    AT_WORK,
    Alike,
    ColumnMapping,
    Import,
    ImportMode,
    ImportRow,
    ImportState,
    Outcome,
    RowState,
)
from customers.models.interactions import Channel, Interaction
from customers.models.profile import Profile, Supplier
from customers.models.promises import Promise, PromiseState, Renegotiation
from customers.models.reads import FileRead
from customers.models.saved_views import SavedView

__all__ = [
    "AT_WORK",
    "Alias",
    "Alike",
    "AssignedFile",
    "Assignment",
    "Birthday",
    "BuyingRole",
    "Channel",
    "ColumnMapping",
    "Contact",
    "Customer",
    "CustomerQuerySet",
    "DivisionFound",
    "DuplicatePair",
    "FileRead",
    "Gender",
    "HandOver",
    "Import",
    "ImportMode",
    "ImportRow",
    "ImportState",
    "IndexCard",
    "Interaction",
    "Kind",
    "Loyalty",
    "Merge",
    "NameCore",
    "Outcome",
    "PairState",
    "Profile",
    "Promise",
    "PromiseState",
    "Renegotiation",
    "RowState",
    "SavedView",
    "Status",
    "Supplier",
    "Tier",
]
