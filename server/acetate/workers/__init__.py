"""Where jobs run: a process per device, watched by the server and replaced when it is lost."""
