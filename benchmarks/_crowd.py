"""A database full of customers with what hangs on them, and the people who look at them.

Names are put together by the database from parts that were folded and spelled once.
"""

from __future__ import annotations

from typing import Any

CUSTOMERS_OF_A_REP, REPS_OF_A_TEAM = 2_500, 20
#: Files with a history, which the file page is asked for: one in so many.
EVERY_KNOWN_FILE, ORDERS_OF_A_KNOWN_FILE = 250, 40
_KINDS = ("place", "word", "trade")

SEED_DATA = """
    SELECT setseed(0.42);
    CREATE TEMP TABLE drawn AS
    SELECT n, 1 + floor({owners} * (n - 1) / {customers})::int AS owner,
        1 + floor(random() * {places})::int AS place, 1 + floor(random() * {words})::int AS word,
        1 + floor(pow(random(), 2) * {trades})::int AS trade,
        '138' || lpad(floor(random() * 1e8)::int::text, 8, '0') AS phone,
        1 + floor(random() * {words})::int AS person, random() AS luck, random() AS old
    FROM generate_series(1, {customers}) AS n;
    CREATE TEMP TABLE named AS
    SELECT d.*, p.name || w.name || t.name AS name, p.pinyin || w.pinyin || t.pinyin AS spelled,
        p.initials || w.initials || t.initials AS initials, p.code,
        concat_ws('ᚠ', p.paired, w.paired, t.paired) AS paired,
        concat_ws('ᚠ', p.ipaired, w.ipaired, t.ipaired) AS ipaired, '李ᚠ' || x.paired AS xpaired,
        '李' || x.name AS contact, '91' || p.code || 'MA' || lpad(to_hex(d.n), 8, '0') || 'X' AS tax
    FROM drawn d JOIN part p ON (p.kind, p.n) = ('place', d.place)
        JOIN part w ON (w.kind, w.n) = ('word', d.word)
        JOIN part t ON (t.kind, t.n) = ('trade', d.trade)
        JOIN part x ON (x.kind, x.n) = ('word', d.person);
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, owner_id, division, address, phone, email, tax_id, buyout, tags, custom, abc,
        loyalty, key_account, net_amount, order_count, last_ordered_on, last_visited_on)
    SELECT now() - old * interval '900 days', now() - old * old * interval '700 days', 1,
        'C-' || lpad(n::text, 7, '0'), name, (array['dealer', 'outlet', 'distributor'])[1 + n % 3],
        'active', (SELECT min(id) FROM accounts_user WHERE role = 'rep') + owner - 1, code,
        name || '旁', '+86' || phone, '', tax, n % 7 = 0,
        CASE WHEN n % 2 = 0 THEN '[]'::jsonb WHEN n % 5000 = 1 THEN '["冷链", "样板"]'
            ELSE jsonb_build_array((array['餐饮渠道', '社区店', '批发市场'])[1 + n % 3]) END,
        '{{}}',
        CASE WHEN luck > 0.97 THEN 'A' WHEN luck > 0.9 THEN 'B' WHEN luck > 0.1 THEN 'C' END,
        CASE WHEN luck > 0.8 THEN 'loyal' END, luck > 0.999,
        CASE WHEN luck > 0.1 THEN round((1000 * exp(8 * luck * luck))::numeric, 2) END, 12,
        current_date - (old * 300)::int, current_date - (old * 90)::int
    FROM named ORDER BY n;
    INSERT INTO customers_contact (created_at, updated_at, version, customer_id, name, gender,
        title, phone, email, wechat, birthday_calendar, birthday_leap, buying_role, likes, has_left)
    SELECT now(), now(), 1, c.id, contact, '', '', '+86139' || right(named.phone, 8), '', '',
        'solar', false, '', '', false
    FROM named JOIN customers_customer c ON c.external_id = 'C-' || lpad(n::text, 7, '0');
    INSERT INTO customers_indexcard (customer_id, text, short, place, name_key, phone_key,
        address_key)
    SELECT c.id, concat_ws(E'\\n', named.name, spelled, initials, lower(external_id), lower(tax),
            contact, named.phone, '139' || right(named.phone, 8)),
        'ᚢᚢ' || concat_ws(E'\\nᚢᚢ', paired, ipaired, xpaired), 'ᚢᚢ' || paired || 'ᚠ旁',
        named.name, named.phone, named.name
    FROM named JOIN customers_customer c ON c.external_id = 'C-' || lpad(n::text, 7, '0');
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'SO-' || id || '-' || n, id, now() - n * random() * interval '20 days',
        'completed', '', '', '', '', round((random() * 9000 + 10)::numeric, 2), false
    FROM customers_customer, generate_series(1, 2) AS n;
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'SX-' || id || '-' || n, id, now() - n * random() * interval '20 days',
        'completed', '', '', '', '', round((random() * 9000 + 10)::numeric, 2), false
    FROM customers_customer, generate_series(1, {history}) AS n WHERE id % {every} = 0;
    INSERT INTO visits_visit (created_at, updated_at, version, customer_id, rep_id, scheduled_for,
        purpose, status, checked_in_at, closed_at, answers, words, client_id)
    SELECT now(), now(), 1, id, owner_id, now() - n * random() * interval '20 days', '', 'planned',
        NULL, NULL, '{{}}', '', NULL
    FROM customers_customer, generate_series(1, 6) AS n WHERE id % {every} = 0;
"""

#: Filling them row by row would take longer than making them anew.
GIN_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = 'customers_indexcard' AND indexdef LIKE '%USING gin%'
"""


def fill(customers: int) -> None:
    """Make the tables and, where there are no customers yet, so many of them."""
    from django.core.management import call_command
    from django.db import connection

    from customers.models import Customer

    call_command("migrate", verbosity=0)
    if Customer.objects.exists():
        return
    people = _people(customers)
    parts = _parts()
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(GIN_INDEXES)
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(
            "CREATE TEMP TABLE part (kind text, n int, name text, pinyin text, initials text,"
            " code text, paired text, ipaired text)"
        )
        places = ", ".join(["%s"] * 8)
        cursor.executemany(f"INSERT INTO part VALUES ({places})", parts)
        cursor.execute(
            SEED_DATA.format(
                customers=customers,
                owners=people,
                history=ORDERS_OF_A_KNOWN_FILE,
                every=EVERY_KNOWN_FILE,
                **{f"{kind}s": sum(p[0] == kind for p in parts) for kind in _KINDS},
            )
        )
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE")


def _people(customers: int) -> int:
    """The teams, their managers and reps, and a director; how many reps there are."""
    from accounts.models import Team, User
    from accounts.roles import Role

    owners = max(1, customers // CUSTOMERS_OF_A_REP)
    User.objects.create(username="director", name="Director", role=Role.DIRECTOR)
    teams = []
    for number in range(-(-owners // REPS_OF_A_TEAM)):
        chief = User.objects.create(
            username=f"chief{number}", name=f"Chief {number}", role=Role.MANAGER
        )
        teams.append(Team.objects.create(name=f"Team {number}", manager=chief))
    for number in range(owners):
        User.objects.create(
            username=f"rep{number}",
            name=f"Rep {number}",
            role=Role.REP,
            team=teams[number // REPS_OF_A_TEAM],
        )
    return owners


def _parts() -> list[tuple[Any, ...]]:
    from crm.demo import naming
    from crm.demo.places import city_of, whole_provinces
    from customers.names import fold, spelled
    from customers.searching import BETWEEN

    words = naming._WORDS
    found = {
        "place": [(city_of(place.code) + place.short, place.code) for place in whole_provinces()],
        "word": [(words[at : at + 2], "") for at in range(0, len(words), 2)],
        "trade": [(trade, "") for trades in naming._BUSINESS.values() for trade in trades],
    }
    return [
        (
            kind,
            n,
            fold(name),
            *spelled(name),
            code,
            *map(BETWEEN.join, (name, spelled(name)[1])),
        )
        for kind, some in found.items()
        for n, (name, code) in enumerate(some, start=1)
    ]
