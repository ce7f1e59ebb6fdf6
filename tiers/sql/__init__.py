"""The statements of a tier run, once for both databases."""

from tiers.sql.dialect import Dialect, dialect, in_order
from tiers.sql.ranking import rank
from tiers.sql.reading import running, standings, tally
from tiers.sql.reading import table as ranking
from tiers.sql.recording import (
    COUNT,
    add_assessments,
    change_assessments,
    keep,
    keep_changes,
    keep_classes,
    write_customers,
)

__all__ = [
    "COUNT",
    "Dialect",
    "add_assessments",
    "change_assessments",
    "dialect",
    "in_order",
    "keep",
    "keep_changes",
    "keep_classes",
    "rank",
    "ranking",
    "running",
    "standings",
    "tally",
    "write_customers",
]
