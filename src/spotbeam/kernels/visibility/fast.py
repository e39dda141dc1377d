"""The fast form: few satellites for each group of sites, and doubtful pairs looked at twice.

Sites come sorted into groups of 64 neighbours, 16 groups to a patch, 16 patches to a region (see
`grouping`). Going down, each list of satellites is cut to those that some site below can see. In a
group, the sphere that fits the ellipsoid there gives the least and the greatest elevation that a
satellite has over any of its sites. That sorts the satellites: most are in view of all sites or of
none and need no test; the others, a ring as wide as the group, are tested site by site; and only
those near the zenith can be the highest.

The tests are float32 and branch-free, so that the compiler makes vector code of them:
`h |h| >= s |s| d^2`, with h the height over the horizon plane, d the distance, s the sine of the
mask. Each has a bound of its error. Where a pair lies within that bound of the mask, or two
satellites within it of each other, the site is done again in float64 with the operations of the
exact form. So the answer is that of the exact form, whatever the machine's vectors.

All compiled functions live in this one file: the compiler's cache does not notice that a callee in
another was edited.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from spotbeam.kernels.visibility.grouping import (
    GROUP_SITES,
    PATCH_GROUPS,
    REGION_PATCHES,
)
from spotbeam.units import WGS84_EQUATORIAL_RADIUS_KM, WGS84_POLAR_RADIUS_KM

_STEPS_AT_A_TIME = 8  # sites of a patch (80 kB) stay in the cache while these go by
# Largest angle between the ellipsoid's normal and the line from the Earth's centre, 0.1925 degrees,
# and a little.
_DEFLECTION_RAD = math.radians(0.2)
_LOW_KM = 100.0  # nearer satellites than this are looked at pair by pair
_WIDE_COS = 0.5  # groups of more than 60 degrees' radius (a few sites, worldwide) are not sorted
_HALF_ULP = 2.0**-24  # of float32


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    position_ecef_km: Any,
    mask_rad: float,
    order: Any,
    n_site: int,
    lanes: Any,
    spots: Any,
    groups: Any,
    patches: Any,
    regions: Any,
    n_in_view: Any,
    best: Any,
    elevation_max_deg: Any,
) -> None:
    """Fill the last three arrays, (n_time, n_site); the others are as `grouping` makes them."""
    n_time, n_sat = position_ecef_km.shape[0], position_ecef_km.shape[1]
    sine = math.sin(mask_rad)
    all_xyzab = np.empty((_STEPS_AT_A_TIME, 5, n_sat))
    all_index = np.empty((_STEPS_AT_A_TIME, n_sat), np.int32)
    n_all = np.zeros(_STEPS_AT_A_TIME, np.int64)
    region_xyzab = np.empty((_STEPS_AT_A_TIME, 5, n_sat))
    region_index = np.empty((_STEPS_AT_A_TIME, n_sat), np.int32)
    n_region = np.zeros(_STEPS_AT_A_TIME, np.int64)
    patch_xyzab = np.empty((1, 5, n_sat))
    patch_index = np.empty((1, n_sat), np.int32)
    margin = np.empty(n_sat)
    near = np.empty(n_sat, np.int32)
    xyz32 = np.empty((3, n_sat), np.float32)
    q_bounds = np.empty((2, n_sat), np.float32)
    ring = np.empty(n_sat, np.int32)
    top = np.empty(n_sat, np.int32)
    ring_s = np.empty((n_sat, 4), np.float32)
    top_s = np.empty((n_sat, 4), np.float32)
    tally = np.empty((4, GROUP_SITES), np.int32)
    elevation = np.empty(GROUP_SITES, np.float32)
    n_group = groups.shape[0]
    for first in range(0, n_time, _STEPS_AT_A_TIME):
        steps = min(_STEPS_AT_A_TIME, n_time - first)
        for t in range(steps):
            n_all[t] = _take_positions(
                position_ecef_km, first + t, mask_rad, all_xyzab, all_index, t
            )
        for region in range(regions.shape[0]):
            for t in range(steps):
                n_region[t] = _narrow(
                    all_xyzab, all_index, t, n_all[t], regions, region,
                    region_xyzab, region_index, t, margin, near,
                )  # fmt: skip
            first_patch = region * REGION_PATCHES
            for patch in range(first_patch, min(first_patch + REGION_PATCHES, patches.shape[0])):
                first_group = patch * PATCH_GROUPS
                end_group = min(first_group + PATCH_GROUPS, n_group)
                for t in range(steps):
                    m = _narrow(
                        region_xyzab, region_index, t, n_region[t], patches, patch,
                        patch_xyzab, patch_index, 0, margin, near,
                    )  # fmt: skip
                    nearest2, farthest2 = 1e30, 0.0
                    for i in range(m):
                        x, y, z = patch_xyzab[0, 0, i], patch_xyzab[0, 1, i], patch_xyzab[0, 2, i]
                        r2 = x * x + y * y + z * z
                        nearest2 = min(nearest2, r2)
                        farthest2 = max(farthest2, r2)
                        xyz32[0, i] = x
                        xyz32[1, i] = y
                        xyz32[2, i] = z
                    floor_km = math.sqrt(nearest2) - WGS84_EQUATORIAL_RADIUS_KM
                    far_km = math.sqrt(farthest2) + WGS84_EQUATORIAL_RADIUS_KM
                    for g in range(first_group, end_group):
                        _group(
                            first + t, g, m, floor_km, far_km, sine, patch_xyzab, patch_index,
                            xyz32, q_bounds, ring, top, ring_s, top_s, tally, elevation,
                            order, n_site, lanes, spots, groups,
                            n_in_view, best, elevation_max_deg,
                        )  # fmt: skip


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _take_positions(
    position: Any, step: int, mask_rad: float, xyzab: Any, index: Any, t: int
) -> int:
    """Drop satellites without a position; add to each what its footprint's edge needs.

    With l the angle at the Earth's centre from a satellite to the farthest site that can see it,
    a = r cos l and b = r sin l: the satellite is near a cap of radius c about an axis when
    (position . axis) >= r cos(l + c) = a cos c - b sin c. Taken wide: over the smallest radius of
    the ellipsoid and the largest deflection of its normal.
    """
    edge_rad = mask_rad - _DEFLECTION_RAD
    sin_edge, cos_edge = math.sin(edge_rad), math.cos(edge_rad)
    k = WGS84_POLAR_RADIUS_KM * cos_edge
    everywhere = edge_rad < -0.5
    n = 0
    for s in range(position.shape[1]):
        x, y, z = position[step, s, 0], position[step, s, 1], position[step, s, 2]
        r2 = x * x + y * y + z * z
        w = math.sqrt(max(r2 - k * k, 0.0))
        anywhere = everywhere or r2 < WGS84_EQUATORIAL_RADIUS_KM**2
        xyzab[t, 0, n] = x
        xyzab[t, 1, n] = y
        xyzab[t, 2, n] = z
        xyzab[t, 3, n] = -1e30 if anywhere else k * cos_edge + w * sin_edge
        xyzab[t, 4, n] = 0.0 if anywhere else w * cos_edge - k * sin_edge
        index[t, n] = s
        n += r2 < 1e30  # false for NaN
    return n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _narrow(
    xyzab: Any, index: Any, t: int, n: int, caps: Any, cap: int,
    out_xyzab: Any, out_index: Any, out_t: int, margin: Any, near: Any,
) -> int:  # fmt: skip
    """Keep the satellites that some site inside a cap can see, in order."""
    ax, ay, az = caps[cap, 0], caps[cap, 1], caps[cap, 2]
    cos_cap, sin_cap = caps[cap, 3], caps[cap, 4]
    least = 1e31 if cos_cap < _WIDE_COS else 1e-3
    for i in range(n):
        margin[i] = (
            xyzab[t, 0, i] * ax + xyzab[t, 1, i] * ay + xyzab[t, 2, i] * az
            - xyzab[t, 3, i] * cos_cap + xyzab[t, 4, i] * sin_cap + least
        )  # fmt: skip
    m = 0
    for i in range(n):
        near[m] = i
        m += margin[i] >= 0.0
    for j in range(m):
        i = near[j]
        for row in range(5):
            out_xyzab[out_t, row, j] = xyzab[t, row, i]
        out_index[out_t, j] = index[t, i]
    return m


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _signed_square(x: float) -> float:
    return x * abs(x)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _group(
    step: int, g: int, m: int, floor_km: float, far_km: float, sine: float, xyz: Any, index: Any,
    xyz32: Any, q: Any, ring: Any, top: Any, ring_s: Any, top_s: Any, tally: Any, elevation: Any,
    order: Any, n_site: int, lanes: Any, spots: Any, groups: Any,
    n_in_view: Any, best: Any, elevation_max_deg: Any,
) -> None:  # fmt: skip
    """Count, and find the highest, for the sites of one group at one step."""
    sites = min(GROUP_SITES, n_site - g * GROUP_SITES)
    cos_cap, sin_cap, reach_km = groups[g, 12], groups[g, 13], groups[g, 16]
    low = floor_km < _LOW_KM
    n_sure, n_ring, n_top = 0, 0, 0
    if low or cos_cap < _WIDE_COS:
        for i in range(m):
            ring[i] = i
            top[i] = i
        n_ring = n_top = m
    else:
        # Error of the bounds, as a sine: the fitting sphere against the ellipsoid (tilt of the
        # normal, shift of the place), and float32.
        v_error = 1.5e-3 + 5 * _HALF_ULP * far_km
        radius = groups[g, 9]
        error = (
            groups[g, 14] + 1.1 * groups[g, 15] / floor_km + 2 * v_error / floor_km
            + radius * sin_cap * (2 * v_error + 4 * _HALF_ULP * (far_km + radius)) / floor_km**2
        )  # fmt: skip
        _bound(xyz32, m, groups, g, q)
        q_sure = np.float32(_signed_square(sine + error)) if sine + error < 1 else np.float32(2)
        q_seen = np.float32(_signed_square(sine - error))
        highest_low = np.float32(-2)
        n_seen = 0
        for i in range(m):
            seen = q[1, i] >= q_seen
            sure = q[0, i] >= q_sure
            top[n_seen] = i
            n_seen += seen
            ring[n_ring] = i
            n_ring += seen and not sure
            n_sure += sure
            highest_low = max(highest_low, q[0, i])
        least = np.float32(highest_low - 4 * error)
        for j in range(n_seen):
            i = top[j]
            top[n_top] = i
            n_top += q[1, i] >= least
    if n_sure + n_ring == 0:
        for j in range(sites):
            site = order[g * GROUP_SITES + j]
            n_in_view[step, site] = 0
            best[step, site] = -1
            elevation_max_deg[step, site] = np.nan
        return
    _relative_to_group(xyz, ring, n_ring, groups, g, ring_s)
    _relative_to_group(xyz, top, n_top, groups, g, top_s)
    # Error of the float32 sine of elevation. With S and P the distances of satellite and site from
    # the group's origin and d >= floor, S - P the distance between them, the roundings of h and d^2
    # are at most 6 and 8 half-ulps of S + P and of its square; (S + P) / d <= 1 + 2 P / floor.
    spread = 1.0 + 2.0 * reach_km / max(floor_km, _LOW_KM)
    error32 = 16 * _HALF_ULP * spread * spread
    _count(
        lanes, g, ring_s, n_ring, tally,
        np.float32(_signed_square(sine - error32)), np.float32(_signed_square(sine + error32)),
    )  # fmt: skip
    # Elevations as whole numbers: bits of the float32 3 + q in [2, 4), low bits replaced by the
    # satellite's place in the list. Two that differ by one or less after that may be either way.
    doubt = 2.0 * (2.0 * error32 * 2.0**22 + 1.0) + 1.0
    bits = 1
    while (1 << bits) < n_top or (1 << bits) < doubt:
        bits += 1
    _rank(lanes, g, top_s, n_top, tally, np.int32((1 << bits) - 1))
    place = np.int32((1 << bits) - 1)
    for j in range(GROUP_SITES):
        doubtful = tally[0, j] != tally[1, j]
        close = (tally[2, j] >> bits) - (tally[3, j] >> bits) <= 1
        tally[2, j] = top[tally[2, j] & place]
        tally[0, j] += n_sure
        if doubtful or close or low:
            _judge(xyz, ring, n_ring, top, n_top, n_sure, spots, g, j, sine, tally)
    _elevations(xyz, spots, g, tally, elevation)
    for j in range(sites):
        site = order[g * GROUP_SITES + j]
        n = tally[0, j]
        n_in_view[step, site] = min(n, 65535)
        best[step, site] = index[0, tally[2, j]] if n > 0 else -1
        elevation_max_deg[step, site] = elevation[j] if n > 0 else np.nan


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _bound(xyz: Any, m: int, groups: Any, g: int, q: Any) -> None:
    """Signed squared sines of the least and greatest elevation of satellites over a group.

    In the plane of axis and satellite, on the sphere that fits the ellipsoid at the group's middle:
    v the satellite from there, a up and b across; a site c away from the middle has it at height
    h = a cos c -+ b sin c - R (1 - cos c) and distance d^2 = |v|^2 + 2 R (a - h).
    """
    one, two = np.float32(1), np.float32(2)
    ux, uy, uz = np.float32(groups[g, 0]), np.float32(groups[g, 1]), np.float32(groups[g, 2])
    ex, ey = np.float32(groups[g, 3]), np.float32(groups[g, 4])
    nx, ny, nz = np.float32(groups[g, 6]), np.float32(groups[g, 7]), np.float32(groups[g, 8])
    radius = np.float32(groups[g, 9])
    x0, y0, z0 = np.float32(groups[g, 17]), np.float32(groups[g, 18]), np.float32(groups[g, 19])
    cos_cap, sin_cap = np.float32(groups[g, 12]), np.float32(groups[g, 13])
    drop, sag = np.float32(groups[g, 10]), np.float32(groups[g, 11])  # 1 - cos c, R (1 - cos c)
    for i in range(m):
        x, y, z = xyz[0, i] - x0, xyz[1, i] - y0, xyz[2, i] - z0
        a = x * ux + y * uy + z * uz
        east = x * ex + y * ey
        north = x * nx + y * ny + z * nz
        b2 = east * east + north * north
        b = math.sqrt(b2)
        v2 = a * a + b2
        level = a * cos_cap - sag
        fall = a * drop + sag
        across = b * sin_cap
        low_h = level - across
        high_h = level + across
        low_d2 = v2 + two * radius * (fall + across)
        high_d2 = v2 + two * radius * (fall - across)
        overhead = b * cos_cap <= (a + radius) * sin_cap
        q[0, i] = low_h * abs(low_h) / low_d2
        high = high_h * abs(high_h) / high_d2
        q[1, i] = one if overhead else high


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _relative_to_group(xyz: Any, chosen: Any, n: int, groups: Any, g: int, out: Any) -> None:
    """Satellites from the group's origin, and their squared distance, rounded once."""
    x0, y0, z0 = groups[g, 17], groups[g, 18], groups[g, 19]
    for j in range(n):
        i = chosen[j]
        x, y, z = xyz[0, 0, i] - x0, xyz[0, 1, i] - y0, xyz[0, 2, i] - z0
        out[j, 0] = x
        out[j, 1] = y
        out[j, 2] = z
        out[j, 3] = x * x + y * y + z * z


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _count(lanes: Any, g: int, s: Any, n: int, tally: Any, q_maybe: Any, q_sure: Any) -> None:
    """tally[0]: satellites surely in view of each site; tally[1]: those that may be."""
    for j in range(GROUP_SITES):
        tally[0, j] = 0
        tally[1, j] = 0
    fours = n - n % 4
    for k in range(0, fours, 4):
        ax, ay, az, a2 = s[k, 0], s[k, 1], s[k, 2], s[k, 3]
        bx, by, bz, b2 = s[k + 1, 0], s[k + 1, 1], s[k + 1, 2], s[k + 1, 3]
        cx, cy, cz, c2 = s[k + 2, 0], s[k + 2, 1], s[k + 2, 2], s[k + 2, 3]
        dx, dy, dz, d2 = s[k + 3, 0], s[k + 3, 1], s[k + 3, 2], s[k + 3, 3]
        for j in range(GROUP_SITES):
            ux, uy, uz, uc = lanes[g, 0, j], lanes[g, 1, j], lanes[g, 2, j], lanes[g, 3, j]
            px, py, pz, pp = lanes[g, 4, j], lanes[g, 5, j], lanes[g, 6, j], lanes[g, 7, j]
            ha = ax * ux + (ay * uy + (az * uz - uc))
            hb = bx * ux + (by * uy + (bz * uz - uc))
            hc = cx * ux + (cy * uy + (cz * uz - uc))
            hd = dx * ux + (dy * uy + (dz * uz - uc))
            ra = ax * px + (ay * py + (az * pz + (a2 + pp)))
            rb = bx * px + (by * py + (bz * pz + (b2 + pp)))
            rc = cx * px + (cy * py + (cz * pz + (c2 + pp)))
            rd = dx * px + (dy * py + (dz * pz + (d2 + pp)))
            ha *= abs(ha)
            hb *= abs(hb)
            hc *= abs(hc)
            hd *= abs(hd)
            tally[0, j] += (
                np.int32(ha >= q_sure * ra) + np.int32(hb >= q_sure * rb)
                + np.int32(hc >= q_sure * rc) + np.int32(hd >= q_sure * rd)
            )  # fmt: skip
            tally[1, j] += (
                np.int32(ha >= q_maybe * ra) + np.int32(hb >= q_maybe * rb)
                + np.int32(hc >= q_maybe * rc) + np.int32(hd >= q_maybe * rd)
            )  # fmt: skip
    for k in range(fours, n):
        ax, ay, az, a2 = s[k, 0], s[k, 1], s[k, 2], s[k, 3]
        for j in range(GROUP_SITES):
            h = ax * lanes[g, 0, j] + (ay * lanes[g, 1, j] + (az * lanes[g, 2, j] - lanes[g, 3, j]))
            r = ax * lanes[g, 4, j] + (
                ay * lanes[g, 5, j] + (az * lanes[g, 6, j] + (a2 + lanes[g, 7, j]))
            )
            h *= abs(h)
            tally[0, j] += np.int32(h >= q_sure * r)
            tally[1, j] += np.int32(h >= q_maybe * r)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _rank(lanes: Any, g: int, s: Any, n: int, tally: Any, place: Any) -> None:
    """tally[2], tally[3]: highest and second highest of each site, elevation and place in one."""
    three = np.float32(3)
    keep = ~place
    for j in range(GROUP_SITES):
        tally[2, j] = 0
        tally[3, j] = 0
    for k in range(n):
        ax, ay, az, a2 = s[k, 0], s[k, 1], s[k, 2], s[k, 3]
        mark = np.int32(k)
        for j in range(GROUP_SITES):
            h = ax * lanes[g, 0, j] + (ay * lanes[g, 1, j] + (az * lanes[g, 2, j] - lanes[g, 3, j]))
            r = ax * lanes[g, 4, j] + (
                ay * lanes[g, 5, j] + (az * lanes[g, 6, j] + (a2 + lanes[g, 7, j]))
            )
            code = (np.float32(three + h * abs(h) / r).view(np.int32) & keep) | mark
            first = tally[2, j]
            tally[3, j] = max(tally[3, j], min(first, code))
            tally[2, j] = max(first, code)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _judge(
    xyz: Any, ring: Any, n_ring: int, top: Any, n_top: int, n_sure: int,
    spots: Any, g: int, j: int, sine: float, tally: Any,
) -> None:  # fmt: skip
    """One site again in float64, with the operations of the exact form in their order."""
    count = n_sure
    px, py, pz = spots[g, 0, j], spots[g, 1, j], spots[g, 2, j]
    ux, uy, uz = spots[g, 3, j], spots[g, 4, j], spots[g, 5, j]
    for k in range(n_ring):
        i = ring[k]
        dx, dy, dz = xyz[0, 0, i] - px, xyz[0, 1, i] - py, xyz[0, 2, i] - pz
        h = dx * ux + dy * uy + dz * uz
        count += h / math.sqrt(dx * dx + dy * dy + dz * dz) >= sine
    highest, best = -2.0, 0
    for k in range(n_top):
        i = top[k]
        dx, dy, dz = xyz[0, 0, i] - px, xyz[0, 1, i] - py, xyz[0, 2, i] - pz
        h = dx * ux + dy * uy + dz * uz
        q = h / math.sqrt(dx * dx + dy * dy + dz * dz)
        if q > highest:
            highest, best = q, i
    tally[0, j] = count
    tally[2, j] = best


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _degrees_of_sine(z: float, z2: float) -> float:
    """Arc sine in degrees for z in [0, 1/sqrt(2)]: own Chebyshev fit, error below 1e-7 degrees."""
    p = 8.089311236092195
    p = p * z2 - 9.851521768219182
    p = p * z2 + 7.919858794806481
    p = p * z2 - 1.200234713599638
    p = p * z2 + 2.2558512116184595
    p = p * z2 + 2.497052716701273
    p = p * z2 + 4.30094060658783
    p = p * z2 + 9.5491965342266
    p = p * z2 + 57.295780188787674
    return p * z


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _elevations(xyz: Any, spots: Any, g: int, tally: Any, elevation: Any) -> None:
    """Elevation of each site's highest satellite: by the smaller of its sine and its cosine."""
    for j in range(GROUP_SITES):
        i = tally[2, j]
        dx = xyz[0, 0, i] - spots[g, 0, j]
        dy = xyz[0, 1, i] - spots[g, 1, j]
        dz = xyz[0, 2, i] - spots[g, 2, j]
        h = dx * spots[g, 3, j] + dy * spots[g, 4, j] + dz * spots[g, 5, j]
        q = min(h * h / (dx * dx + dy * dy + dz * dz), 1.0)
        flat = q <= 0.5
        z2 = q if flat else 1.0 - q
        angle = _degrees_of_sine(math.sqrt(z2), z2)
        angle = angle if flat else 90.0 - angle
        elevation[j] = angle if h >= 0.0 else -angle
