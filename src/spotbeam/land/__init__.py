"""The ground: cells, borders, points of view, territories, demand."""
