"""The fast form: few satellites for each group of sites, and doubtful pairs looked at twice.

Sites come sorted into groups of neighbours, groups in patches, patches in districts, districts in
regions (see `grouping`). Going down, each list of satellites is cut to those that some site below
can see. In a group, the sphere that fits the ellipsoid there gives the least and the greatest
elevation that a satellite has over any of its sites. That sorts the satellites: most are in view of
all sites or of none and need no test; the others, a ring as wide as the group, are tested site by
site; and only those near the zenith can be the highest.

The tests are float32 and branch-free, so that the compiler makes vector code of them:
`h |h| >= s |s| d^2`, with h the height over the horizon plane, d the distance, s the sine of the
mask. Each has a bound of its error. Where a pair lies within that bound of the mask, or two
satellites within it of each other, the site is done again in float64 with the operations of the
exact form. So the answer is that of the exact form, whatever the machine's vectors.

All compiled functions and their constants live in this one file: the compiler's cache does not
notice that something in another was edited.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from spotbeam.units import WGS84_EQUATORIAL_RADIUS_KM, WGS84_POLAR_RADIUS_KM

GROUP_SITES = 64
FAN = 8  # groups to a patch, patches to a district, districts to a region

_STEPS_AT_A_TIME = 8  # the sites of a district (300 kB) stay in the cache while these go by
# Largest angle between the ellipsoid's normal and the line from the Earth's centre, 0.1925 degrees,
# and a little.
_DEFLECTION_RAD = math.radians(0.2)
_LOW_KM = 100.0  # nearer satellites than this are looked at pair by pair
_WIDE_COS = 0.5  # groups of more than 60 degrees' radius (a few sites, worldwide) are not sorted
_HALF_ULP = 2.0**-24  # of float32

# Nothing in Python calls the parts: leaving their wrappers out halves the time to compile.
_INNER = {
    "cache": True, "nogil": True, "error_model": "numpy",
    "no_cpython_wrapper": True, "no_cfunc_wrapper": True,
}  # fmt: skip


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    position_ecef_km: Any, mask_rad: float, order: Any, n_placed: int, lanes: Any, spots: Any,
    groups: Any, patches: Any, districts: Any, regions: Any,
    n_in_view: Any, best: Any, elevation_max_deg: Any,
) -> None:  # fmt: skip
    """Fill the last three arrays, (n_time, n_site); the others are as in `grouping.Sites`."""
    n_time, n_sat = position_ecef_km.shape[0], position_ecef_km.shape[1]
    # Satellites still in question, by level: everywhere, region, district, patch.
    listed = np.empty((4, _STEPS_AT_A_TIME, 5, n_sat))
    who = np.empty((4, _STEPS_AT_A_TIME, n_sat), np.int32)
    n_listed = np.zeros((4, _STEPS_AT_A_TIME), np.int64)
    scratch = np.empty((8, n_sat + 3), np.float32)
    chosen = np.empty((3, n_sat), np.int32)
    gap = np.empty(n_sat)
    tally = np.empty((5, GROUP_SITES), np.int32)
    highest = np.empty((4, GROUP_SITES))
    for first in range(0, n_time, _STEPS_AT_A_TIME):
        steps = min(_STEPS_AT_A_TIME, n_time - first)
        for t in range(steps):
            n_listed[0, t] = _take(position_ecef_km, first, t, mask_rad, listed, who)
        for region in range(regions.shape[0]):
            for t in range(steps):
                _narrow(listed, who, n_listed, np.int64(0), t, regions, region, gap, chosen)
            end_district = min((region + 1) * FAN, districts.shape[0])
            for district in range(region * FAN, end_district):
                for t in range(steps):
                    _narrow(listed, who, n_listed, np.int64(1), t, districts, district, gap, chosen)
                end_patch = min((district + 1) * FAN, patches.shape[0])
                for t in range(steps):
                    for patch in range(district * FAN, end_patch):
                        _narrow(listed, who, n_listed, np.int64(2), t, patches, patch, gap, chosen)
                        _patch(
                            math.sin(mask_rad), first, t, patch, order, n_placed, lanes, spots,
                            groups, listed, who, n_listed[3, t], scratch, chosen, tally, highest,
                            n_in_view, best, elevation_max_deg,
                        )  # fmt: skip


@numba.njit(**_INNER)
def _take(position: Any, first: int, t: int, mask_rad: float, listed: Any, who: Any) -> int:
    """Drop satellites without a position; add to each what its footprint's edge needs.

    With l the angle at the Earth's centre from a satellite to the farthest site that can see it,
    a = r cos l and b = r sin l: some site within c of an axis can see it when
    (position . axis) >= r cos(l + c) = a cos c - b sin c. Taken wide: over the smallest radius of
    the ellipsoid and the largest deflection of its normal.
    """
    edge_rad = mask_rad - _DEFLECTION_RAD
    sin_edge, cos_edge = math.sin(edge_rad), math.cos(edge_rad)
    k = WGS84_POLAR_RADIUS_KM * cos_edge
    everywhere = edge_rad < -0.5
    n = 0
    for s in range(position.shape[1]):
        x, y, z = position[first + t, s, 0], position[first + t, s, 1], position[first + t, s, 2]
        r2 = x * x + y * y + z * z
        w = math.sqrt(max(r2 - k * k, 0.0))
        anywhere = everywhere or r2 < WGS84_EQUATORIAL_RADIUS_KM**2
        listed[0, t, 0, n], listed[0, t, 1, n], listed[0, t, 2, n] = x, y, z
        listed[0, t, 3, n] = -1e30 if anywhere else k * cos_edge + w * sin_edge
        listed[0, t, 4, n] = 0.0 if anywhere else w * cos_edge - k * sin_edge
        who[0, t, n] = s
        n += r2 < 1e30  # false for NaN
    return n


@numba.njit(**_INNER)
def _narrow(
    listed: Any, who: Any, n_listed: Any, level: int, t: int, caps: Any, cap: int,
    gap: Any, chosen: Any,
) -> None:  # fmt: skip
    """List one level down, in order, the satellites that some site inside a cap can see."""
    ax, ay, az = caps[cap, 0], caps[cap, 1], caps[cap, 2]
    cos_cap, sin_cap = caps[cap, 3], caps[cap, 4]
    spare = 1e31 if cos_cap < _WIDE_COS else 1e-3  # km
    n = n_listed[level, t]
    for i in range(n):
        gap[i] = (
            listed[level, t, 0, i] * ax + listed[level, t, 1, i] * ay
            + listed[level, t, 2, i] * az
            - listed[level, t, 3, i] * cos_cap + listed[level, t, 4, i] * sin_cap + spare
        )  # fmt: skip
    m = 0
    for i in range(n):
        chosen[0, m] = i
        m += gap[i] >= 0.0
    for row in range(5):
        for j in range(m):
            listed[level + 1, t, row, j] = listed[level, t, row, chosen[0, j]]
    for j in range(m):
        who[level + 1, t, j] = who[level, t, chosen[0, j]]
    n_listed[level + 1, t] = m


@numba.njit(**_INNER)
def _patch(
    sine: float, first: int, t: int, patch: int, order: Any, n_placed: int, lanes: Any, spots: Any,
    groups: Any, listed: Any, who: Any, m: int, scratch: Any, chosen: Any, tally: Any,
    highest: Any, n_in_view: Any, best: Any, elevation_max_deg: Any,
) -> None:  # fmt: skip
    """Count, and find the highest, for the sites of one patch at one step."""
    step = first + t
    nearest2, farthest2 = 1e30, 0.0
    for i in range(m):
        x, y, z = listed[3, t, 0, i], listed[3, t, 1, i], listed[3, t, 2, i]
        r2 = x * x + y * y + z * z
        nearest2 = min(nearest2, r2)
        farthest2 = max(farthest2, r2)
        scratch[0, i], scratch[1, i], scratch[2, i] = x, y, z
    floor_km = math.sqrt(nearest2) - WGS84_EQUATORIAL_RADIUS_KM
    far_km = math.sqrt(farthest2) + WGS84_EQUATORIAL_RADIUS_KM
    low = floor_km < _LOW_KM
    for g in range(patch * FAN, min((patch + 1) * FAN, groups.shape[0])):
        n_ring, n_top, n_sure = _sort(sine, g, groups, m, floor_km, far_km, scratch, chosen)
        # Error of the float32 sine of elevation. With S and P the distances of satellite and site
        # from the group's origin, and d between them: the line is off by at most 2 half-ulps of
        # S + P, its height by 6, its length by 3. And (S + P) / d <= 1 + 2 P / floor, as d is at
        # least the floor and at least S - P.
        spread = 1.0 + 2.0 * groups[g, 16] / max(floor_km, _LOW_KM)
        error = 16 * _HALF_ULP * spread
        q_maybe = np.float32((sine - error) * abs(sine - error))
        q_sure = np.float32((sine + error) * abs(sine + error))
        for j in range(GROUP_SITES):
            tally[0, j] = tally[1, j] = tally[2, j] = 0
            tally[3, j] = -(1 << 30)  # no second yet to mistake the highest for
        _relative_to_group(listed, t, chosen, np.int64(1), n_ring, groups, g, scratch)
        _count(lanes, g, scratch, n_ring, tally, q_maybe, q_sure)
        # Elevations as whole numbers: the bits of the float32 3 + q, in [2, 4), low bits replaced
        # by the satellite's place in the list. Two that then differ by one or less may be swapped.
        doubt = 2.0 * (2.0 * error * 2.0**22 + 1.0) + 1.0
        bits = 1
        while (1 << bits) < n_top or (1 << bits) < doubt:
            bits += 1
        _relative_to_group(listed, t, chosen, np.int64(2), n_top, groups, g, scratch)
        _rank(lanes, g, scratch, n_top, tally, bits)
        for j in range(GROUP_SITES):
            if tally[4, j] != 0 or low:
                _judge(listed, t, chosen, n_ring, n_top, spots, g, j, sine, tally)
        for j in range(GROUP_SITES):
            i = chosen[2, tally[2, j]] if n_top > 0 else 0
            highest[0, j] = listed[3, t, 0, i]
            highest[1, j] = listed[3, t, 1, i]
            highest[2, j] = listed[3, t, 2, i]
            tally[3, j] = who[3, t, i]
        _elevations(highest, spots, g)
        for j in range(min(GROUP_SITES, n_placed - g * GROUP_SITES)):
            site = order[g * GROUP_SITES + j]
            n = tally[0, j] + n_sure
            n_in_view[step, site] = min(n, 65535)
            best[step, site] = tally[3, j] if n > 0 else -1
            elevation_max_deg[step, site] = highest[3, j] if n > 0 else np.nan


@numba.njit(**_INNER)
def _sort(
    sine: float, g: int, groups: Any, m: int, floor_km: float, far_km: float, scratch: Any,
    chosen: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """chosen[1]: satellites in view of some sites of a group only; chosen[2]: possible highest.

    Returns how many of each, and how many are in view of all sites.
    """
    cos_cap, sin_cap, radius = groups[g, 12], groups[g, 13], groups[g, 9]
    if floor_km < _LOW_KM or cos_cap < _WIDE_COS:
        for i in range(m):
            chosen[1, i] = chosen[2, i] = i
        return m, m, 0
    # Error of the bounds, as a sine: the fitting sphere against the ellipsoid (tilt of the normal,
    # shift of the place), and float32.
    v_error = 1.5e-3 + 5 * _HALF_ULP * far_km
    error = (
        groups[g, 14] + 1.1 * groups[g, 15] / floor_km + 2 * v_error / floor_km
        + radius * sin_cap * (2 * v_error + 4 * _HALF_ULP * (far_km + radius)) / floor_km**2
    )  # fmt: skip
    _bound(groups, g, m, scratch)
    q_sure = np.float32((sine + error) * abs(sine + error))
    q_seen = np.float32((sine - error) * abs(sine - error))
    least = np.float32(-2)
    n_seen, n_ring, n_top, n_sure = 0, 0, 0, 0
    for i in range(m):
        low, high = scratch[3, i], scratch[4, i]
        seen = high >= q_seen
        sure = low >= q_sure
        chosen[2, n_seen] = i
        n_seen += seen
        chosen[1, n_ring] = i
        n_ring += seen & (not sure)
        n_sure += sure
        least = max(least, low)
    least = np.float32(least - 4 * error)
    for j in range(n_seen):
        i = chosen[2, j]
        chosen[2, n_top] = i
        n_top += scratch[4, i] >= least
    return n_ring, n_top, n_sure


@numba.njit(fastmath={"contract"}, **_INNER)
def _bound(groups: Any, g: int, m: int, scratch: Any) -> None:
    """Signed squared sines of the least and greatest elevation of satellites over a group.

    In the plane of axis and satellite, on the sphere that fits the ellipsoid at the group's middle:
    v the satellite from there, a up and b across; a site c away from the middle has it at height
    h = a cos c -+ b sin c - R (1 - cos c) and distance d^2 = |v|^2 + 2 R (a - h).

    Reads rows 0-2 of scratch (positions, km), writes rows 3 and 4.
    """
    ux, uy, uz = np.float32(groups[g, 0]), np.float32(groups[g, 1]), np.float32(groups[g, 2])
    ex, ey = np.float32(groups[g, 3]), np.float32(groups[g, 4])
    nx, ny, nz = np.float32(groups[g, 6]), np.float32(groups[g, 7]), np.float32(groups[g, 8])
    x0, y0, z0 = np.float32(groups[g, 17]), np.float32(groups[g, 18]), np.float32(groups[g, 19])
    radius, diameter = np.float32(groups[g, 9]), np.float32(2 * groups[g, 9])
    drop, sag = np.float32(groups[g, 10]), np.float32(groups[g, 11])  # 1 - cos c, R (1 - cos c)
    cos_cap, sin_cap = np.float32(groups[g, 12]), np.float32(groups[g, 13])
    for i in range(m):
        x, y, z = scratch[0, i] - x0, scratch[1, i] - y0, scratch[2, i] - z0
        a = x * ux + y * uy + z * uz
        east = x * ex + y * ey
        north = x * nx + y * ny + z * nz
        b2 = east * east + north * north
        b = math.sqrt(b2)
        v2 = a * a + b2
        level = a * cos_cap - sag
        fall = a * drop + sag
        across = b * sin_cap
        low = level - across
        high = level + across
        scratch[3, i] = low * abs(low) / (v2 + diameter * (fall + across))
        high = high * abs(high) / (v2 + diameter * (fall - across))
        overhead = b * cos_cap <= (a + radius) * sin_cap
        scratch[4, i] = np.float32(1) if overhead else high


@numba.njit(**_INNER)
def _relative_to_group(
    listed: Any, t: int, chosen: Any, row: int, n: int, groups: Any, g: int, scratch: Any
) -> None:
    """Rows 5-7 of scratch: satellites from the group's origin, and three NaN."""
    x0, y0, z0 = groups[g, 17], groups[g, 18], groups[g, 19]
    for j in range(n):
        i = chosen[row, j]
        scratch[5, j] = listed[3, t, 0, i] - x0
        scratch[6, j] = listed[3, t, 1, i] - y0
        scratch[7, j] = listed[3, t, 2, i] - z0
    for j in range(n, n + 3):
        scratch[5, j] = np.nan


@numba.njit(fastmath={"contract"}, **_INNER)
def _count(lanes: Any, g: int, s: Any, n: int, tally: Any, q_maybe: Any, q_sure: Any) -> None:
    """tally[0]: satellites of the ring surely in view of each site; tally[1]: those that may be."""
    # Four at a time, so that the sites are fetched once for four; NaN fills up, never in view.
    for k in range(0, n, 4):
        ax, ay, az = s[5, k], s[6, k], s[7, k]
        bx, by, bz = s[5, k + 1], s[6, k + 1], s[7, k + 1]
        cx, cy, cz = s[5, k + 2], s[6, k + 2], s[7, k + 2]
        dx, dy, dz = s[5, k + 3], s[6, k + 3], s[7, k + 3]
        for j in range(GROUP_SITES):
            ux, uy, uz = lanes[g, 0, j], lanes[g, 1, j], lanes[g, 2, j]
            px, py, pz = lanes[g, 3, j], lanes[g, 4, j], lanes[g, 5, j]
            ha, ra = _height_and_square(ax - px, ay - py, az - pz, ux, uy, uz)
            hb, rb = _height_and_square(bx - px, by - py, bz - pz, ux, uy, uz)
            hc, rc = _height_and_square(cx - px, cy - py, cz - pz, ux, uy, uz)
            hd, rd = _height_and_square(dx - px, dy - py, dz - pz, ux, uy, uz)
            tally[0, j] += (
                np.int32(ha >= q_sure * ra) + np.int32(hb >= q_sure * rb)
                + np.int32(hc >= q_sure * rc) + np.int32(hd >= q_sure * rd)
            )  # fmt: skip
            tally[1, j] += (
                np.int32(ha >= q_maybe * ra) + np.int32(hb >= q_maybe * rb)
                + np.int32(hc >= q_maybe * rc) + np.int32(hd >= q_maybe * rd)
            )  # fmt: skip


@numba.njit(fastmath={"contract"}, **_INNER)
def _height_and_square(dx: Any, dy: Any, dz: Any, ux: Any, uy: Any, uz: Any) -> tuple[Any, Any]:
    """Height over the horizon plane, squared with its sign, and squared distance."""
    h = dx * ux + (dy * uy + dz * uz)
    return h * abs(h), dx * dx + (dy * dy + dz * dz)


@numba.njit(fastmath={"contract"}, **_INNER)
def _rank(lanes: Any, g: int, s: Any, n: int, tally: Any, bits: int) -> None:
    """tally[2]: place of the highest of each site; tally[4]: 1 where float32 can't be sure."""
    place = np.int32((1 << bits) - 1)
    shift = np.int32(bits)
    keep = ~place
    three = np.float32(3)
    for k in range(n):
        ax, ay, az = s[5, k], s[6, k], s[7, k]
        mark = np.int32(k)
        for j in range(GROUP_SITES):
            h, r = _height_and_square(
                ax - lanes[g, 3, j], ay - lanes[g, 4, j], az - lanes[g, 5, j],
                lanes[g, 0, j], lanes[g, 1, j], lanes[g, 2, j],
            )  # fmt: skip
            code = (np.float32(three + h / r).view(np.int32) & keep) | mark
            first = tally[2, j]
            tally[3, j] = max(tally[3, j], min(first, code))
            tally[2, j] = max(first, code)
    for j in range(GROUP_SITES):
        close = (tally[2, j] >> shift) - (tally[3, j] >> shift) <= np.int32(1)
        tally[4, j] = np.int32(close) | np.int32(tally[0, j] != tally[1, j])
        tally[2, j] &= place


@numba.njit(**_INNER)
def _judge(
    listed: Any, t: int, chosen: Any, n_ring: int, n_top: int,
    spots: Any, g: int, j: int, sine: float, tally: Any,
) -> None:  # fmt: skip
    """One site again in float64, with the operations of the exact form in their order."""
    px, py, pz = spots[g, 0, j], spots[g, 1, j], spots[g, 2, j]
    ux, uy, uz = spots[g, 3, j], spots[g, 4, j], spots[g, 5, j]
    count = 0
    for k in range(n_ring):
        i = chosen[1, k]
        dx, dy, dz = listed[3, t, 0, i] - px, listed[3, t, 1, i] - py, listed[3, t, 2, i] - pz
        h = dx * ux + dy * uy + dz * uz
        count += h / math.sqrt(dx * dx + dy * dy + dz * dz) >= sine
    most, place = -2.0, 0
    for k in range(n_top):
        i = chosen[2, k]
        dx, dy, dz = listed[3, t, 0, i] - px, listed[3, t, 1, i] - py, listed[3, t, 2, i] - pz
        h = dx * ux + dy * uy + dz * uz
        q = h / math.sqrt(dx * dx + dy * dy + dz * dz)
        if q > most:
            most, place = q, k
    tally[0, j] = count
    tally[2, j] = place


@numba.njit(**_INNER)
def _elevations(highest: Any, spots: Any, g: int) -> None:
    """highest[3]: elevation, degrees, of the positions in highest[0-2], one for each site.

    By the smaller of sine and cosine, through an arc sine for [0, 1/sqrt(2)] that is our own
    Chebyshev fit: error below 1e-7 degrees.
    """
    for j in range(GROUP_SITES):
        dx = highest[0, j] - spots[g, 0, j]
        dy = highest[1, j] - spots[g, 1, j]
        dz = highest[2, j] - spots[g, 2, j]
        h = dx * spots[g, 3, j] + dy * spots[g, 4, j] + dz * spots[g, 5, j]
        q = h * h / (dx * dx + dy * dy + dz * dz)
        flat = q <= 0.5
        z2 = q if flat else max(1.0 - q, 0.0)
        p = (8.089311236092195 * z2 - 9.851521768219182) * z2 + 7.919858794806481
        p = ((p * z2 - 1.200234713599638) * z2 + 2.2558512116184595) * z2 + 2.497052716701273
        p = ((p * z2 + 4.30094060658783) * z2 + 9.5491965342266) * z2 + 57.295780188787674
        angle = p * math.sqrt(z2)
        angle = angle if flat else 90.0 - angle
        highest[3, j] = angle if h >= 0.0 else -angle
