"""The demo: a little data that shows what the project does. It knows every app, and no app knows it."""
