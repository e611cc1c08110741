"""The front process: takes messages, keeps the journal and the files, hands jobs to workers.

It never decodes video, never imports torch and never waits on a disk or a worker.
"""
