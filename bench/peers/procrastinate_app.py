"""procrastinate's app and its one task."""

import os
from time import time

from procrastinate import App, PsycopgConnector

from bench.table import INSERT

AT_ONCE = 10

app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"], min_size=2, max_size=AT_ONCE + 2))


async def count(event: int) -> None:
    """Write the one row."""
    await app.connector.execute_query_async(INSERT, event=event, started_at=time())


task = app.task(name="count")(count)
