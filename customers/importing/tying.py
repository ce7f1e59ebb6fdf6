"""The customers above, as rows name them: by number or exact name, on file or in the same file.

A row may name one that stands further down, so all of it is settled once every row has been looked
at. A node of the network is a customer's id, or, of a row that is not on file yet, its number with
a minus sign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from crm.lib import bulk
from customers import hierarchy
from customers.hierarchy import DEEPEST, Tie
from customers.importing.filed import TIES, same
from customers.importing.matching import Files, Verdict
from customers.importing.reasons import Reasons
from customers.importing.values import Values
from customers.models import Alias, Customer, CustomerQuerySet, Import, ImportRow, Outcome

CHUNK = 1000


@dataclass(slots=True)
class Link:
    """What one row says of the customers above it: tie → as its cell names it, None: nobody."""

    number: int
    customer_id: int | None
    words: dict[str, str | None]
    #: Tie → the node it leads to; ties that are left alone are missing.
    up: dict[str, int | None] = field(default_factory=dict)
    errors: Reasons = field(default_factory=dict)
    level: int = 0

    @property
    def node(self) -> int:
        return self.customer_id or -self.number


class Network:
    """The rows of one file that are taken, and who of them names whom."""

    def __init__(self, files: CustomerQuerySet) -> None:
        self.files = files
        self.links: list[Link] = []
        self.numbered: dict[str, int] = {}
        self.named: dict[str, set[int]] = defaultdict(set)
        #: Number or name → a row that is not taken.
        self.refused: dict[str, int] = {}
        #: What rows found on file hold now: tie → customer → the one above.
        self.present: dict[str, dict[int, int | None]] = {tie: {} for tie in Tie.values}

    def note(self, number: int, verdict: Verdict) -> None:
        """Remember a row: who it is, and whom it names."""
        values = verdict.values
        if verdict.outcome in (Outcome.REJECTED, Outcome.LEFT):
            for name in ("external_id", "name"):
                self.refused.setdefault(str(values.get(name) or ""), number)
            return
        link = Link(number, verdict.customer_id, {t: values[t] for t in TIES if t in values})
        if values.get("external_id"):
            self.numbered[str(values["external_id"])] = link.node
        if values.get("name"):
            self.named[str(values["name"])].add(link.node)
        if link.words:
            self.links.append(link)

    def settle(self, run: Import) -> None:
        """Find out whom the rows name, and put it into the stored rows of `run`."""
        if not self.links:
            return
        self._find()
        self._read_present()
        self._refuse()
        for some in _batched(self.links, CHUNK):
            _put(run, some, self.present)

    # --- whom a row names

    def _find(self) -> None:
        words = {word for link in self.links for word in link.words.values() if word}
        numbers, names = self._on_file(words)
        for link in self.links:
            for tie, word in link.words.items():
                if not word:
                    link.up[tie] = None
                    continue
                nodes = self._meant(word, numbers, names)
                if len(nodes) == 1:
                    link.up[tie] = next(iter(nodes))
                elif nodes:
                    link.errors[tie] = [["tie_several", {"number": len(nodes), "text": word[:60]}]]
                elif word in self.refused:
                    link.errors[tie] = [["tie_rejected", {"row": self.refused[word]}]]
                else:
                    link.errors[tie] = [["tie_unknown", {"text": word[:60]}]]

    def _meant(
        self, word: str, numbers: dict[str, int], names: dict[str, set[int]]
    ) -> Collection[int]:
        """A number comes before a name, and what is on file before what the file brings."""
        number = numbers.get(word) or self.numbered.get(word)
        return {number} if number else names.get(word, set()) | self.named.get(word, set())

    def _on_file(self, words: Collection[str]) -> tuple[dict[str, int], dict[str, set[int]]]:
        """The customers in sight by number, also one that a merged file had, and by name."""
        numbers: dict[str, int] = {}
        names: dict[str, set[int]] = defaultdict(set)
        for some in _batched(sorted(words), CHUNK):
            old = Alias.objects.filter(external_id__in=some, customer__in=self.files)
            numbers |= dict(old.values_list("external_id", "customer_id"))
            numbered = self.files.filter(external_id__in=some)
            numbers |= {str(word): pk for word, pk in numbered.values_list("external_id", "pk")}
            for name, pk in self.files.filter(name__in=some).values_list("name", "pk"):
                names[name].add(pk)
        return numbers, names

    # --- what cannot be

    def _read_present(self) -> None:
        """Read who stands above now; one out of sight stays there, whatever an empty cell says."""
        ids = sorted(link.customer_id for link in self.links if link.customer_id)
        columns = [f"{tie}_id" for tie in Tie.values]
        for some in _batched(ids, CHUNK):
            for pk, *above in Customer.objects.filter(pk__in=some).values_list("pk", *columns):
                for tie, one in zip(Tie.values, above, strict=True):
                    self.present[tie][pk] = one
        wanted = {one for some in self.present.values() for one in some.values() if one}
        seen = ids_in_sight(self.files, wanted)
        for link in self.links:
            for tie in list(link.up):
                now = self.present[tie].get(link.node)
                if now is None or now in seen or link.up[tie] == now:
                    continue
                if link.up.pop(tie) is not None:
                    link.errors[tie] = [["tie_hidden", {}]]

    def _refuse(self) -> None:
        """Refuse rings, what hangs on a refused row, and what stands too deep, until all holds."""
        stored = {tie: self._stored(tie) for tie in Tie.values}
        while True:
            taken = [link for link in self.links if not link.errors]
            refused = {-link.number: link.number for link in self.links if link.errors}
            for tie in Tie.values:
                above = {link.node: link.up[tie] for link in taken if tie in link.up}
                rings = hierarchy.nodes_in_loops({**stored[tie], **above}) & above.keys()
                for link in taken:
                    if link.node in rings:
                        link.errors[tie] = [["ring", {}]]
                    elif (row := refused.get(link.up.get(tie) or 0)) is not None:
                        link.errors[tie] = [["tie_rejected", {"row": row}]]
            if not any(link.errors for link in taken) and not _too_deep(taken):
                return

    def _stored(self, tie: str) -> dict[int, int | None]:
        """Who stands above whom on file, as far as the rows reach."""
        nodes = {link.node for link in self.links}
        nodes |= {link.up[tie] or 0 for link in self.links if tie in link.up}
        stored: dict[int, int | None] = {}
        for some in _batched(sorted(node for node in nodes if node > 0), hierarchy.MOST_IDS):
            stored |= hierarchy.ancestors(some, tie)
        return stored


def _too_deep(links: Sequence[Link]) -> bool:
    """Give each row the level after those that it names; refuse what finds none, if anything."""
    by_node = {link.node: link for link in links}
    for link in links:
        link.level = 0
    for _step in range(DEEPEST + 1):
        levels = [_above(link, by_node) for link in links]
        if all(link.level == level for link, level in zip(links, levels, strict=True)):
            return False
        for link, level in zip(links, levels, strict=True):
            link.level = level
    for link in links:
        if link.level > DEEPEST:
            tie = next(tie for tie in Tie.values if link.up.get(tie) is not None)
            link.errors[tie] = [["tie_deep", {"limit": DEEPEST}]]
    return True


def _above(link: Link, by_node: dict[int, Link]) -> int:
    """One more than the highest level that the row names."""
    levels = [
        by_node[up].level + 1 if up in by_node else 1 if up < 0 else 0
        for up in link.up.values()
        if up is not None
    ]
    return max(levels, default=0)


def _put(run: Import, links: Sequence[Link], present: dict[str, dict[int, int | None]]) -> None:
    """Write into the stored rows whom they name, or why they are refused."""
    by_number = {link.number: link for link in links}
    stored = run.rows.filter(number__in=by_number).only(
        "id", "run", "number", "values", "before", "errors", "outcome"
    )
    rows = []
    for row in stored:
        link = by_number[row.number]
        values = {name: value for name, value in row.values.items() if name not in TIES}
        for tie, node in link.up.items():
            values |= pointing(tie, node)
            now = present[tie].get(link.node)
            if link.customer_id and (node is not None or now is not None) and node != now:
                row.before[f"{tie}_id"] = now
        outcome, errors = row.outcome, row.errors
        if link.errors:
            outcome, errors = Outcome.REJECTED, link.errors
        elif outcome == Outcome.UNCHANGED and row.before:
            outcome = Outcome.UPDATE
        rows.append(
            {
                "id": row.pk,
                "values": values,
                "before": row.before if not link.errors else {},
                "errors": errors,
                "outcome": str(outcome),
                "level": link.level,
            }
        )
    bulk.update(ImportRow, rows)


def pointing(tie: str, node: int | None) -> Values:
    """The values that lead to a node: a customer's id, or the number of a row."""
    if node is not None and node < 0:
        return {f"{tie}_id": None, f"{tie}_row": -node}
    return {f"{tie}_id": node}


# --- when rows are written


def ties(row: ImportRow) -> bool:
    """Whether the row says anything of the customers above."""
    return any(f"{tie}_id" in row.values for tie in Tie.values)


def resolve(rows: Sequence[ImportRow], files: Files, run: Import) -> dict[int, Reasons]:
    """Put ids in the place of row numbers, and look once more whether the ties can be.

    Returns what refuses a row, by its number. Hold `hierarchy.lock`.
    """
    tied = [row for row in rows if ties(row)]
    faults: dict[int, Reasons] = defaultdict(dict)
    if not tied:
        return faults
    _put_ids(tied, run, faults)
    _refuse_gone(tied, files, faults)
    for tie in Tie.values:
        column = f"{tie}_id"
        above = {
            row.customer_id: row.values[column]
            for row in tied
            if row.customer_id and column in row.values and row.number not in faults
        }
        targets = {up for up in above.values() if up}
        stored: dict[Any, Any] = hierarchy.ancestors({*targets, *above} if targets else (), tie)
        rings = hierarchy.nodes_in_loops({**stored, **above}) & above.keys()
        for row in tied:
            if row.customer_id in rings and row.number not in faults:
                faults[row.number][tie] = [["ring", {}]]
    return faults


def barred(rows: Sequence[ImportRow]) -> dict[int, set[str]]:
    """Customer → columns that cannot go back: the former one above is gone, or stands below."""
    found: dict[int, set[str]] = defaultdict(set)
    for tie in Tie.values:
        column = f"{tie}_id"
        above: dict[Any, Any] = {
            row.customer_id: row.before[column] for row in rows if column in row.before
        }
        targets = {up for up in above.values() if up}
        if not targets:
            continue
        stored: dict[Any, Any] = hierarchy.ancestors({*targets, *above}, tie)
        rings = hierarchy.nodes_in_loops({**stored, **above})
        for pk, up in above.items():
            if pk in rings or (up and up not in stored):
                found[pk].add(column)
    return found


def _put_ids(rows: Iterable[ImportRow], run: Import, faults: dict[int, Reasons]) -> None:
    numbers = {row.values.get(f"{tie}_row") for row in rows for tie in Tie.values} - {None}
    written = (Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED)
    named = run.rows.filter(number__in=numbers, outcome__in=written, customer_id__isnull=False)
    ids = dict(named.values_list("number", "customer_id")) if numbers else {}
    for row in rows:
        for tie in Tie.values:
            number = row.values.get(f"{tie}_row")
            if number is None:
                continue
            if number in ids:
                row.values[f"{tie}_id"] = ids[number]
            else:
                faults[row.number][tie] = [["tie_rejected", {"row": number}]]


def _refuse_gone(rows: Sequence[ImportRow], files: Files, faults: dict[int, Reasons]) -> None:
    """Refuse ties to what is no longer in sight, and from what is not."""
    targets = {row.values.get(f"{tie}_id") for row in rows for tie in Tie.values} - {None}
    present = {
        filed.values[f"{tie}_id"]
        for row in rows
        if (filed := files.filed.get(row.customer_id or 0))
        for tie in Tie.values
    } - {None}
    seen = ids_in_sight(files.in_sight, targets | present)
    for row in rows:
        filed = files.filed.get(row.customer_id or 0)
        for tie in Tie.values:
            column = f"{tie}_id"
            if column not in row.values:
                continue
            now, wanted = filed.values[column] if filed else None, row.values[column]
            if same(now, wanted):
                continue
            if wanted and wanted not in seen:
                faults[row.number].setdefault(tie, [["tie_gone", {}]])
            elif now and now not in seen and wanted:
                faults[row.number].setdefault(tie, [["tie_hidden", {}]])
            elif now and now not in seen:
                del row.values[column]  # it stays; an empty cell says nothing of what is hidden


def ids_in_sight(files: CustomerQuerySet, ids: Collection[int]) -> set[int]:
    """Of these customers, those among `files`."""
    seen: set[int] = set()
    for some in _batched(sorted(ids), hierarchy.MOST_IDS):
        seen.update(files.filter(pk__in=some).values_list("pk", flat=True))
    return seen


def _batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    items = iter(items)
    while some := list(islice(items, size)):
        yield some
