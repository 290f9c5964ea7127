"""Settings for a test: those of a shell that sets what the test names, and of no file."""

import os
from collections.abc import Mapping

import pytest

from pipeline.settings import Settings


def settings_of(values: Mapping[str, str]) -> Settings:
    """The settings as the pipeline reads them where a shell has these values, and no other."""
    with pytest.MonkeyPatch.context() as shell:
        for name in Settings.model_fields:
            shell.delenv(name.upper(), raising=False)
        for name, value in values.items():
            shell.setenv(name, value)
        shell.setenv("ENV_FILE", os.devnull)
        return Settings.load()
