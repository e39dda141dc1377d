"""Physics joined with policy: scenario, forecast, why."""
