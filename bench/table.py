"""The table that every contender's handler writes one row to; a repeated event shows as a second row."""

TABLE = """
    CREATE TABLE bench_effect (
        id bigserial PRIMARY KEY,
        event bigint NOT NULL,
        started_at double precision NOT NULL,
        inserted_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
"""
INSERT = "INSERT INTO bench_effect (event, started_at) VALUES (%(event)s, %(started_at)s)"
