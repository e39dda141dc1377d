"""Constants with their unit in the name and their source beside them."""

from __future__ import annotations

# WGS 84: NIMA TR8350.2, 3rd edition (2000), table 3.1.
WGS84_EQUATORIAL_RADIUS_KM = 6378.137
WGS84_FLATTENING = 1.0 / 298.257223563
WGS84_POLAR_RADIUS_KM = WGS84_EQUATORIAL_RADIUS_KM * (1.0 - WGS84_FLATTENING)
WGS84_ECCENTRICITY_SQUARED = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)

# WGS 72 as SGP4 uses it: Hoots and Roehrich, Spacetrack Report 3 (1980); Vallado et al. (2006).
WGS72_EQUATORIAL_RADIUS_KM = 6378.135
WGS72_GM_KM3_S2 = 398600.8

# BIPM, The International System of Units, 9th edition (2019), section 2.2.
SPEED_OF_LIGHT_KM_S = 299792.458

# International nautical mile: BIPM SI brochure, 8th edition, table 8.
NAUTICAL_MILE_KM = 1.852
TERRITORIAL_SEA_KM = 12 * NAUTICAL_MILE_KM  # UNCLOS (1982), article 3

SECONDS_PER_DAY = 86400
