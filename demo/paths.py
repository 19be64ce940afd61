"""Where things are in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "run"
LOGS = RUN / "logs"
VENV = ROOT / ".venv"
CLUSTER_FILE = ROOT / "golem-cluster.yaml"
EXAMPLE = ROOT / "examples" / "tasks.py"
TOKEN = RUN / "bridge-token"
