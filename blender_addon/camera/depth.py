"""The depth of the artist's geometry as the source camera sees it, in slices, into a file."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import bpy
import numpy as np

from ..scene.blocks import find
from ..shared.cameras.trajectory import Trajectory
from ..shared.depth_file import DepthFile
from ..shared.errors import RecamError
from .raster import nearness
from .sampling import walking

LONGEST = 640  # pixels: depth is smooth but for its edges, and those are the engine's to find
SOLID = {"MESH", "CURVE", "SURFACE", "FONT", "META"}


class DepthReader:
    """Writes the depth of a collection's objects from the source camera.

    scene: where the geometry stands. frames: the clip's, in the scene's time. source: a pose and
    lens for each. size: of the clip's picture. The file holds one map for all frames where
    nothing moves, else one for each; where no geometry is, it is infinitely far.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        frames: range,
        source: Trajectory,
        geometry: bpy.types.Collection,
        size: tuple[int, int],
        path: Path,
    ) -> None:
        self._scene, self._geometry = scene.session_uid, geometry.session_uid
        self._frames, self._source, self._path = frames, source, path
        shrink = min(1.0, LONGEST / max(size))
        self._size = tuple(max(2, round(side * shrink)) for side in size)
        self._done = 0
        self._world: np.ndarray | None = None  # the last frame's triangles
        self._map: np.ndarray | None = None  # and depth
        self._file: DepthFile | None = None  # once a second map has come

    def step(self, seconds: float) -> float:
        """Work for about ``seconds``; the share done, 1.0 at the end.

        Raises RecamError ``geometry_hidden`` where nothing of the geometry is to be seen.
        """
        scene = find(bpy.data.scenes, self._scene, "scene")
        geometry = find(bpy.data.collections, self._geometry, "geometry")
        began, until = perf_counter(), None
        with walking(scene, None, *geometry.all_objects) as walked:
            while self._done < len(self._frames):
                walked.frame_set(self._frames[self._done])
                self._take(_triangles(walked, geometry), geometry.name)
                now = perf_counter()
                until = until or max(began + seconds, now + (now - began))  # as the sampler does
                if now >= until:
                    break
        if self._done == len(self._frames):
            self._finish()
        return self._done / len(self._frames)

    def _take(self, world: np.ndarray, called: str) -> None:
        frame = self._done
        if not len(world):
            raise RecamError(
                "geometry_hidden",
                f"Nothing of the geometry “{called}” is shown at frame {self._frames[frame]}.",
                "Show its objects in the viewport, or clear the geometry to use the plane.",
            )
        pose, lens = self._source.poses[frame], self._source.lenses[frame]
        same = (
            self._world is not None
            and np.array_equal(self._world, world)
            and np.array_equal(pose, self._source.poses[frame - 1])
            and np.array_equal(lens, self._source.lenses[frame - 1])
        )
        if not same:
            before, self._world = self._map, world
            seen = (world - pose[:3, 3]) @ pose[:3, :3]
            with np.errstate(divide="ignore"):
                self._map = 1 / nearness(seen, lens, *self._size)
            if before is not None and self._file is None:
                self._file = DepthFile(
                    self._path, len(self._frames), *before.shape, dtype=np.float16
                )
                for _ in range(frame):
                    self._file.write(before)
        if self._file is not None:
            self._file.write(self._map)
        self._done += 1

    def _finish(self) -> None:
        if self._file is None:
            DepthFile(self._path, 1, *self._map.shape).write(self._map)


def _triangles(scene, geometry) -> np.ndarray:
    """``(T, 3, 3)`` float64: the geometry's triangles as evaluated, in the world, metres."""
    wanted = {thing.session_uid for thing in geometry.all_objects}
    parts = [np.zeros((0, 3, 3))]
    for instance in scene.view_layers[0].depsgraph.object_instances:
        thing = instance.object
        owner = (instance.parent or thing).original
        if owner.session_uid not in wanted or thing.type not in SOLID:
            continue
        mesh = thing.to_mesh()
        if mesh is None:
            continue
        mesh.calc_loop_triangles()
        places = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", places)
        corners = np.empty(3 * len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        thing.to_mesh_clear()
        matrix = np.array(instance.matrix_world, np.float64)
        places = places.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
        parts.append(places[corners].reshape(-1, 3, 3))
    return np.concatenate(parts) * scene.unit_settings.scale_length
