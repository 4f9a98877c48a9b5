"""The commands; the file name is the command."""
