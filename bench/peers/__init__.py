"""The peers, each in a small file that says how it is set up; they run in .venv-bench."""
