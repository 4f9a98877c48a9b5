"""Run benchmarks, each in an installation of its own: `python -m bench.run print_tickets`."""

import os
import subprocess
import sys

from bench.installation import ROOT, fresh_database, gateway, server_url

LATENCY_MS = 20
SETTINGS = {"events": "bench.settings", "ageing": "bench.settings"}


def main() -> None:
    """Run the named benchmark with its arguments, in a fresh database and with the gateway at 20 ms."""
    name, *arguments = sys.argv[1:]
    with fresh_database(server_url()) as database, gateway(LATENCY_MS) as address:
        environment = os.environ | {
            "DATABASE_URL": database,
            "GATEWAY_URL": address,
            "DJANGO_SETTINGS_MODULE": SETTINGS.get(name, "tickets_project.settings"),
        }
        for command in (["manage.py", "migrate", "--verbosity=0"], ["-m", f"bench.{name}", *arguments]):
            subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    main()
