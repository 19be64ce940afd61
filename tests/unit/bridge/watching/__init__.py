"""What dashboards and Prometheus ask the bridge for."""
