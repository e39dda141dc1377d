"""A ground of rectangles: small enough to check by eye, with everything that real ground has."""

from __future__ import annotations

import numpy as np

KM_PER_DEG = 111.195  # close enough to the equator that both axes share it

# Territory id: south, west, north, east in degrees. A has a part A-1 (with its own belt); the belts
# of A and B overlap; an own territory crosses a border; a cell lies in B.
RECTANGLES = {
    "A": (0.0, 0.0, 2.0, 2.0),
    "A-1": (0.0, 1.0, 1.0, 2.0),
    "B": (0.0, 2.0, 2.0, 4.0),
    "A/sea": (2.0, 0.0, 2.4, 2.2),
    "A-1/sea": (-0.4, 0.8, 0.0, 2.2),
    "B/sea": (2.0, 1.8, 2.4, 4.0),
    "x-own": (0.5, 1.5, 2.2, 2.5),
    "h3:841e265ffffffff": (0.4, 3.0, 0.8, 3.4),
}
IDS = (*RECTANGLES, "XZ")
CELL = "h3:841e265ffffffff"
BOUNDS = (-0.8, -0.4, 2.8, 4.4)


class Rectangles:
    """The part of `land.territories.Ground` that verdicts ask for, over `RECTANGLES`."""

    view = "test"

    def __init__(self, rectangles=None):
        self.rectangles = dict(RECTANGLES if rectangles is None else rectangles)
        edges = np.array(list(self.rectangles.values()))
        self.lat_edges = np.unique(edges[:, [0, 2]])
        self.lon_edges = np.unique(edges[:, [1, 3]])
        south = np.concatenate([[-90.0], self.lat_edges])
        west = np.concatenate([[-180.0], self.lon_edges])
        north = np.concatenate([self.lat_edges, [90.0]])
        east = np.concatenate([self.lon_edges, [180.0]])
        faces = {("XZ",): 0}
        self.face_of_box = np.empty((len(south), len(west)), dtype=np.int32)
        for row in range(len(south)):
            for column in range(len(west)):
                lat = (south[row] + north[row]) / 2
                lon = (west[column] + east[column]) / 2
                ids = tuple(
                    sorted(
                        name
                        for name, (s, w, n, e) in self.rectangles.items()
                        if s <= lat < n and w <= lon < e
                    )
                )
                if not any(not name.startswith(("x-", "h3:")) for name in ids):
                    ids = tuple(sorted((*ids, "XZ")))
                self.face_of_box[row, column] = faces.setdefault(ids, len(faces))
        self.boxes = south, west, north, east
        self.face_territories = tuple(faces)

    def ids(self):
        return tuple(sorted({name for ids in self.face_territories for name in ids}))

    def locate(self, lat_deg, lon_deg):
        row = np.searchsorted(self.lat_edges, lat_deg, side="right")
        column = np.searchsorted(self.lon_edges, lon_deg, side="right")
        return self.face_of_box[row, column]

    def touched(self, lat_deg, lon_deg, radius_m):
        south, west, north, east = self.boxes
        off_lat = np.maximum(np.maximum(south - lat_deg[:, None], lat_deg[:, None] - north), 0.0)
        off_lon = np.maximum(np.maximum(west - lon_deg[:, None], lon_deg[:, None] - east), 0.0)
        off_km = np.hypot(off_lat[:, :, None], off_lon[:, None, :]) * KM_PER_DEG
        near = off_km * 1000.0 < np.maximum(radius_m, 0.0)[:, None, None]
        own = self.locate(lat_deg, lon_deg)
        hit = np.zeros((len(lat_deg), len(self.face_territories)), dtype=bool)
        rows, at_row, at_column = np.nonzero(near)
        hit[rows, self.face_of_box[at_row, at_column]] = True
        hit[np.arange(len(own)), own] = True
        unique, index = np.unique(hit, axis=0, return_inverse=True)
        sets = [tuple(np.flatnonzero(row).tolist()) for row in unique]
        return index.reshape(-1).astype(np.int32), sets
