"""What the server tells of itself: its log, its status, its metrics, a bundle for support.

No clip's name, no prompt and no key goes in there: jobs and owners are told by ids alone.
"""
