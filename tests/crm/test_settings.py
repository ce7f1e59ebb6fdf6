"""Settings from the environment: what is insecure is refused, and says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "S7m-q2Jx9Zt4Lw8Rb5Vn3Kc6Pd1Hf0Gy" * 2


def manage(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py command` in an environment of its own."""
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**base, "DATA_DIR": str(tmp_path), "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        pytest.param({}, "run `make install`", id="no secret key"),
        pytest.param({"SECRET_KEY": "secret"}, "shorter than 32", id="short secret key"),
        pytest.param(
            {"SECRET_KEY": KEY, "ALLOWED_HOSTS": "*"}, "name the hosts", id="every host allowed"
        ),
        pytest.param(
            {"SECRET_KEY": KEY, "BASE_URL": "crm.example.cn"}, "a full address", id="half address"
        ),
        pytest.param(
            {"SECRET_KEY": KEY, "WEBHOOK_PRIVATE_NETWORKS": "10.2.0.0/16, 10.3.0.1/16"},
            "WEBHOOK_PRIVATE_NETWORKS: 10.3.0.1/16",
            id="no network",
        ),
    ],
)
def test_an_insecure_start_is_refused_with_advice(tmp_path, environment, advice) -> None:
    refused = manage(tmp_path, "check", **environment)
    assert refused.returncode != 0
    assert advice in refused.stderr


def test_development_may_go_without_them(tmp_path) -> None:
    started = manage(tmp_path, "check", DEBUG="1", ALLOWED_HOSTS="*")
    assert started.returncode == 0, started.stderr


def test_a_key_file_of_the_data_directory_is_enough(tmp_path) -> None:
    subprocess.run(
        [sys.executable, "-m", "crm.lib.secret", str(tmp_path / "secret_key")],
        cwd=ROOT,
        check=True,
    )
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert manage(tmp_path, "check").returncode == 0


def test_the_deployment_check_is_clean_under_https(tmp_path) -> None:
    checked = manage(
        tmp_path,
        "check",
        "--deploy",
        "--fail-level=INFO",
        SECRET_KEY=KEY,
        BASE_URL="https://crm.example.cn",
    )
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


def test_https_secures_the_cookies_and_names_the_host(tmp_path) -> None:
    names = "SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SECURE_SSL_REDIRECT ALLOWED_HOSTS"
    shown = manage(
        tmp_path,
        "shell",
        "-v0",
        "-c",
        f"from django.conf import settings as s; print([getattr(s, n) for n in '{names}'.split()])",
        SECRET_KEY=KEY,
        BASE_URL="https://crm.example.cn",
    )
    assert shown.stdout.strip() == (
        "[True, True, True, ['crm.example.cn', '127.0.0.1', 'localhost']]"
    )
