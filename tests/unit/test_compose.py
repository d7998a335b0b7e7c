import re
import shlex
from typing import Any

import pytest
import yaml

from devnet import paths, procfile

COMPOSE: dict[str, Any] = yaml.safe_load((paths.ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PROCESSES = procfile.parse(paths.PROCFILE.read_text())
SERVERS = ("postgres", "redis")
OWNER = "DATABASE_OWNER_URL"
EXAMPLE = [line for line in (paths.ROOT / ".env.example").read_text().splitlines() if re.match(r"[A-Z]", line)]


def test_the_services_are_the_processes_and_what_they_need() -> None:
    assert set(SERVICES) == {*PROCESSES, *SERVERS, "migrate"}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_container_runs_the_line_of_the_procfile(name: str) -> None:
    line = procfile.command(PROCESSES[name], {"PORT": "8090", "FLOWER_PORT": "5555"})
    reachable = tuple(word.replace("127.0.0.1", "0.0.0.0") for word in line)

    assert tuple(shlex.split(SERVICES[name]["command"])) == reachable


@pytest.mark.parametrize("name", [*PROCESSES, *SERVERS])
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [*PROCESSES, "migrate"])
def test_a_container_gets_every_variable_of_the_example(name: str) -> None:
    variables = {line.partition("=")[0] for line in EXAMPLE}

    assert set(SERVICES[name]["environment"]) - {OWNER} == variables
    assert all(f"${{{variable}:-" in SERVICES[name]["environment"][variable] for variable in variables)


def test_only_the_migrations_know_who_owns_the_tables() -> None:
    assert [name for name, service in SERVICES.items() if OWNER in service.get("environment", {})] == ["migrate"]


def test_the_owner_and_the_application_are_two_logins_of_one_database() -> None:
    owner, application = SERVICES["migrate"]["environment"][OWNER], SERVICES["migrate"]["environment"]["DATABASE_URL"]

    assert f"postgres://{SERVICES['postgres']['environment']['POSTGRES_USER']}:" in owner
    assert "postgres://vanta_app:" in application
    assert owner.partition("@")[2] == application.partition("@")[2] == "postgres:5432/vanta}"


@pytest.mark.parametrize("name", [*PROCESSES, "migrate"])
def test_a_container_can_write_nothing_but_its_temporary_folder(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "/tmp" in SERVICES[name]["tmpfs"]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_starts_after_the_migrations(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_image_does_not_run_as_root() -> None:
    dockerfile = (paths.ROOT / "ops" / "Dockerfile").read_text()

    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]


def test_redis_forgets_nothing() -> None:
    script = SERVICES["redis"]["command"][-1]

    assert "appendonly yes" in script
    assert "maxmemory-policy noeviction" in script


def test_only_the_bot_waits_for_its_profile() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["bot"]


def test_nothing_is_reachable_from_outside_the_machine() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]

    assert published == ["127.0.0.1:8090:8090", "127.0.0.1:5555:5555"]


def test_the_example_names_no_variable_twice() -> None:
    names = [line.partition("=")[0] for line in EXAMPLE]

    assert sorted(names) == sorted(set(names))
