"""The little of yagna's REST interface that start and healthcheck need."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request

from .settings import API_PORT

_LIMIT = 3.0
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


class RestProblem(Exception):  # noqa: N818 - an observation, which a caller may turn into an error
    """REST did not answer, or not as it should; str() is the observation."""


def identity(app_key: str, port: int = API_PORT) -> str:
    """The address of the app-key's identity, in lower case. Raises RestProblem."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/me", headers={"Authorization": f"Bearer {app_key}"})
    try:
        with urllib.request.urlopen(request, timeout=_LIMIT) as response:  # noqa: S310
            found = json.loads(response.read())["identity"]
    except urllib.error.HTTPError as error:
        raise RestProblem(f"REST answers {error.code} to the app-key") from error
    except (OSError, http.client.HTTPException) as error:
        raise RestProblem(f"REST does not answer: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RestProblem(f"REST answers something else than yagna: {error!r}") from error
    if not isinstance(found, str) or not _ADDRESS.fullmatch(found):
        raise RestProblem(f"REST names no address: {found!r}")
    return found
