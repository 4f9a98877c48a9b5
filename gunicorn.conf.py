"""How gunicorn serves the project; it reads this file by itself when it starts in this folder."""

import os

# A process for each core, and threads in it, since half of a request is waiting for PostgreSQL.
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
control_socket_disable = True
