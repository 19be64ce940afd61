"""Where things are in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "docker" / "engine"
COMPOSE_FILE = ROOT / "docker-compose.yml"
DOTENV = ROOT / ".env"
VENV = ROOT / ".venv"
"""Ray and the plug-in."""
TEST_VENV = ROOT / ".venv-test"
"""Everything the tests need."""
CLUSTER_FILE = ROOT / "golem-cluster.yaml"
EXAMPLE = ROOT / "examples" / "tasks.py"


def shown(path: Path) -> str:
    """As a user in the repository's folder would name it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
