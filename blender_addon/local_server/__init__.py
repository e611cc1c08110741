"""A server on this machine, in an environment of its own: installed, started, stopped, watched."""
