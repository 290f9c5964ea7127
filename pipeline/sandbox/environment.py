"""The settings that a pipeline needs to talk to a sandbox, as an environment file.

Keeps out: reading any environment.
"""

import os
from pathlib import Path

from pipeline.sandbox.quickbooks.oauth import AUTHORIZE, REVOKE, TOKEN
from pipeline.sandbox.world import World


def environment(world: World, url: str) -> dict[str, str]:
    """Return the settings by name.

    Args:
        world: What is served.
        url: Where, without a slash at the end.
    """
    return {
        "CLOCKIFY_API_KEY": world.workspace.api_key,
        "CLOCKIFY_WORKSPACE_ID": world.workspace.id,
        "CLOCKIFY_API_URL": f"{url}/api/v1",
        "CLOCKIFY_REPORTS_URL": f"{url}/report/v1",
        "QUICKBOOKS_CLIENT_ID": world.tokens.client_id,
        "QUICKBOOKS_CLIENT_SECRET": world.tokens.client_secret,
        "QUICKBOOKS_REALM_ID": world.company.realm_id,
        "QUICKBOOKS_REFRESH_TOKEN": world.tokens.refresh_token,
        "QUICKBOOKS_API_URL": url,
        "QUICKBOOKS_AUTHORIZE_URL": url + AUTHORIZE,
        "QUICKBOOKS_TOKEN_URL": url + TOKEN,
        "QUICKBOOKS_REVOKE_URL": url + REVOKE,
        "TIME_ZONE": world.time_zone,
        "START_DATE": world.start_date.isoformat(),
        "SEND_FROM": world.send_from.isoformat(),
    }


def write(settings: dict[str, str], path: Path) -> None:
    """Write settings to a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    text = "".join(f"{name}={value}\n" for name, value in settings.items())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
