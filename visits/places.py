"""Distances on the ground."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

#: Nearer than this counts as at the customer: phones in a building are some hundred metres out.
NEAR_M = 500
EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG

Degrees = Decimal | float
#: Latitude and longitude in degrees (WGS 84), as far as they are known.
Point = tuple[Degrees | None, Degrees | None]


class Place(NamedTuple):
    """Where a phone says it is: degrees (WGS 84), and how sure it is in metres."""

    latitude: Decimal
    longitude: Decimal
    accuracy_m: int | None = None


def distance_m(
    latitude: Degrees | None,
    longitude: Degrees | None,
    to_latitude: Degrees | None,
    to_longitude: Degrees | None,
) -> int | None:
    """Great-circle distance in whole metres (haversine); None where a coordinate is unknown."""
    if latitude is None or longitude is None or to_latitude is None or to_longitude is None:
        return None
    lat1, lat2 = radians(latitude), radians(to_latitude)
    half_lat = sin((lat2 - lat1) / 2) ** 2
    half_lon = sin((radians(to_longitude) - radians(longitude)) / 2) ** 2
    chord = min(1.0, half_lat + cos(lat1) * cos(lat2) * half_lon)
    return round(2 * EARTH_RADIUS_M * asin(sqrt(chord)))


def legs_m(points: Iterable[Point]) -> list[int | None]:
    """The straight-line metres to each of `points` from the one before it.

    None for the first, and for points with an unknown coordinate: the way goes past those, so
    that the next leg begins at the last known point.
    """
    legs: list[int | None] = []
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    for point in points:
        legs.append(distance_m(latitude, longitude, *point))
        if None not in point:
            latitude, longitude = point
    return legs
