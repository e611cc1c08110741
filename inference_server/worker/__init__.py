"""The worker process: one device, one job at a time, told what to do through its pipes."""
