"""Numbers that both sides of the wire must agree on."""

PROTOCOL = 1
DEFAULT_PORT = 47811
DEFAULT_ADDRESS = f"tcp://127.0.0.1:{DEFAULT_PORT}"

# The JSON header of a message, at most: a job's parts fit in, or a list of jobs.
HEADER_BYTES = 1024 * 1024
CHUNK_BYTES = 512 * 1024  # one piece of a clip or a result
DATA_BYTES = CHUNK_BYTES  # the data frame of a message, at most
# A frame as it travels, encrypted, at most. Whoever connects may send one before it is known who
# they are: what lies here of these is in memory.
FRAME_BYTES = max(HEADER_BYTES, DATA_BYTES) + 4096
SHOT_BYTES = 16 * 1024 * 1024  # a shot, at most: half an hour. Beyond a chunk it is sent as a file
CREDIT = 8  # chunks under way at once: a control message waits behind these at the most
PICTURE_SIDE = 192  # pixels of the longer side of a job's picture, at most: 108 KiB

MOST_FRAMES = 100_000  # of a shot: more than an hour

HEARTBEAT_MS = 2_000  # an idle connection is tried this often …
HEARTBEAT_TIMEOUT_MS = 15_000  # … and given up when nothing came back for this long
