"""Drivers in simple expressions, which Blender evaluates without running scripts."""

from __future__ import annotations


def drive(owner, path: str, index: int, expression: str, values: dict) -> None:
    """Let an expression set a property, instead of any driver that did.

    index: of a vector's component; -1 for a single number. values: name to (data-block, path),
    or to (object, ``"LOC_Z"``) for the object's own place, as its constraints leave it.
    """
    owner.driver_remove(path, index)
    driver = owner.driver_add(path, index).driver
    driver.type = "SCRIPTED"
    for name, (block, what) in values.items():
        variable = driver.variables.new()
        variable.name = name
        target = variable.targets[0]
        if what.startswith("LOC_"):
            variable.type = "TRANSFORMS"
            target.id = block
            target.transform_type, target.transform_space = what, "LOCAL_SPACE"
        else:
            target.id_type, target.id, target.data_path = block.id_type, block, what
    driver.expression = expression
