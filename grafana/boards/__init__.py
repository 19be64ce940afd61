"""The dashboards as code: ``make dashboards`` writes them to ``grafana/dashboards``."""
