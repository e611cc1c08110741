"""What is read as a clip: the containers and codecs that artists have, and no others.

FFmpeg knows 350 containers and 500 codecs. Those of games, of forgotten devices and of text are
where its mistakes are found; playlists and the like would send it to other files.
"""

from __future__ import annotations

import av

# Demuxers. None of these opens a second file (MP4's references to others are switched off).
_CONTAINERS = (
    "mov matroska avi mpeg mpegts mxf gxf ogg flv asf nut dv ivf cine gif apng yuv4mpegpipe "
    "h264 hevc vvc obu av1 m4v mpegvideo vc1 mjpeg dirac"
)

_PICTURES = (
    "h264 hevc vvc libdav1d av1 vp8 vp9 libvpx libvpx-vp9 vp6 vp6a vp6f vp3 theora dirac vc2 "
    "mpeg1video mpeg2video mpeg4 h261 h263 h263i h263p msmpeg4 msmpeg4v1 msmpeg4v2 "
    "wmv1 wmv2 wmv3 vc1 flv prores prores_raw dnxhd cfhd dvvideo mjpeg mjpegb ljpeg jpeg2000 "
    "jpegls rawvideo v210 v210x v308 v408 v410 yuv4 y41p r210 r10k avrn avui 012v qtrle 8bps rpza "
    "smc cinepak svq1 svq3 indeo3 indeo4 indeo5 png apng gif bmp tiff targa dpx exr webp ffv1 "
    "ffvhuff huffyuv utvideo magicyuv lagarith hap dxv notchlc speedhq aic pixlet sheervideo "
    "media100 hqx hq_hqa cllc fraps zmbv tscc2 camtasia camstudio msrle msvideo1 cljr asv1 asv2 "
    "snow apv"
)
_SOUNDS = (
    "aac aac_latm mp1 mp1float mp2 mp2float mp3 mp3float ac3 eac3 dca truehd mlp opus libopus "
    "vorbis flac alac wmav1 wmav2 wmapro wmalossless amrnb amrwb libopencore_amrnb "
    "libopencore_amrwb s302m qdm2 qdmc mace3 mace6 nellymoser speex gsm gsm_ms wavpack tta "
    "adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf adpcm_yamaha g722 g726"
)
CONTAINERS = frozenset(_CONTAINERS.split())
PICTURES = frozenset(_PICTURES.split())  # decoders
SOUNDS = frozenset(_SOUNDS.split()) | {n for n in av.codecs_available if n.startswith("pcm_")}

CUT = "is cut off or damaged: its table of contents is missing or cannot be read."
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide")  # what an MP4 or MOV begins with

_SOUND = "has sound but no picture."
_STILL = "is a still picture, not a clip."
_LIST = "is a list of other files, not a video file."
_STARTS = (
    (b"\x89PNG", _STILL),
    (b"\xff\xd8\xff", _STILL),
    (b"II*\0", _STILL),
    (b"MM\0*", _STILL),
    (b"BM", _STILL),
    (b"v/1\x01", _STILL),
    (b"SDPX", _STILL),
    (b"XPDS", _STILL),
    (b"8BPS", _STILL),
    (b"#?RADIANCE", _STILL),
    (b"ID3", _SOUND),
    (b"\xff\xfb", _SOUND),
    (b"fLaC", _SOUND),
    (b"FORM", _SOUND),
    (b"#EXTM3U", _LIST),
    (b"ffconcat", _LIST),
    (b"[playlist]", _LIST),
    (b"v=0", _LIST),
    (b"PK\x03\x04", "is an archive, not a video file."),
    (b"\x1f\x8b", "is an archive, not a video file."),
    (b"Rar!", "is an archive, not a video file."),
    (b"7z\xbc\xaf", "is an archive, not a video file."),
    (b"MZ", "is a program, not a video file."),
    (b"\x7fELF", "is a program, not a video file."),
    (b"BLENDER", "is a Blender file, not a video file."),
    (b"%PDF", "is a document, not a video file."),
)


def other_kind(head: bytes) -> str:
    """What a file is that does not open as a clip, from its first bytes: the end of a sentence."""
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"WEBP"):
        return _SOUND if head[8:12] == b"WAVE" else _STILL
    for start, what in _STARTS:
        if head.lstrip(b"\xef\xbb\xbf").startswith(start):
            return what
    if b"<MPD" in head or b"<smil" in head or b"<asx" in head.lower():
        return _LIST
    if head and not any(byte < 9 or 13 < byte < 32 for byte in head):
        return "is text, not a video file that can be opened."
    if head[4:8] in _BOXES:
        return CUT
    return "is not a video file that can be opened."
