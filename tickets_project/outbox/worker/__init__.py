"""The worker: dispatchers in the processes of a django-q2 cluster, and the supervisor that keeps them running."""
