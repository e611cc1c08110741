"""Cameras in Blender: what stands in the scene for a clip, how the camera moves, what it films.

- The rig: ``rig``, its parts (``new_cameras``, ``screen``, ``frustum``), the clip on them
  (``footage``, ``movie_texture``, ``projecting``, ``geometry``), the buttons (``set_up``,
  ``look_through``).
- Reading: ``sampling`` gives a trajectory, ``depth`` (by ``raster``) the geometry's depth, ``shot``
  all that a job needs; ``path`` and ``path_*`` the path as it is now, and what is wrong with it.
- Writing: ``keys`` puts a trajectory onto a camera, by ``channels`` and ``optics``; ``moves`` and
  ``move_*`` (by ``keyframes``) make one, ``camera_files`` loads one.
- ``axes`` alone knows Blender's axes and Recam's.
"""
