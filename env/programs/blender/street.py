"""A simulator in Blender: a street of simple bodies, drawn by Cycles without a display.

    npm run check-program -- --parameters env/programs/blender/street.json \
      --simulator 'blender --background --python-exit-code 1 --python env/programs/blender/street.py -- {request}'

With the path of a request after `--` it draws one data set and ends. Without one it stays up, and draws one for each line
that it reads: `--warm-simulator --simulator 'blender --background --python env/programs/blender/street.py'`. Labels come
from a second view layer's pass of object indices, drawn with one sample a pixel. It was written for Blender 3.4, as
Debian 12 has it, and needs numpy, which Blender's Python has. `simulatorOptions`: `samples`, the rays of a pixel (8).
"""

import json
import math
import os
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import bmesh
import bpy
import numpy as np

ROAD, SIDEWALK, BUILDING, VEGETATION, SKY, CAR = 0, 1, 2, 8, 10, 13  # Cityscapes' train ids
LENGTH = 90  # of the street, in metres


# ---- Bodies -----------------------------------------------------------------------------------------------------------


def material(colour, roughness=0.8):
    made = bpy.data.materials.new("paint")
    made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    return made


def add(mesh, label, place, size, paint):
    """A body with its label: pass index 0 is where nothing is, the sky, so each label is one higher."""
    body = bpy.data.objects.new("body", mesh)
    body.location, body.scale, body.pass_index = place, size, label + 1
    body.data = mesh.copy()
    body.data.materials.append(paint)
    bpy.context.scene.collection.objects.link(body)
    return body


def meshes():
    """A cube of side 1 around the origin, and a ball of diameter 1."""
    made = {}
    for name, create in {
        "cube": lambda shape: bmesh.ops.create_cube(shape, size=1),
        "ball": lambda shape: bmesh.ops.create_icosphere(shape, subdivisions=2, radius=0.5),
    }.items():
        shape = bmesh.new()
        create(shape)
        made[name] = bpy.data.meshes.new(name)
        shape.to_mesh(made[name])
        shape.free()
    return made


def build_car(mesh, rng, theta, x, y):
    length, width, height = rng.uniform(3.8, 4.8), rng.uniform(1.65, 1.85), rng.uniform(1.35, 1.6)
    paint = material(theta["carBrightness"] * rng.uniform(0.4, 1.2, 3).clip(0, 1), 0.3)
    glass, tyre = material((0.03, 0.04, 0.05), 0.1), material((0.02, 0.02, 0.02))
    add(mesh["cube"], CAR, (x, y, 0.3 + height * 0.25), (width, length, height * 0.5), paint)
    add(mesh["cube"], CAR, (x, y - 0.1 * length, 0.3 + height * 0.68), (width * 0.88, length * 0.55, height * 0.36), glass)
    add(mesh["cube"], CAR, (x, y - 0.1 * length, 0.3 + height * 0.88), (width * 0.84, length * 0.5, 0.06), paint)
    for side in (-1, 1):
        for end in (-1, 1):
            add(mesh["ball"], CAR, (x + side * width * 0.46, y + end * length * 0.32, 0.32), (0.2, 0.64, 0.64), tyre)


def build_street(theta, rng):
    """A new street in the scene: ground, houses, trees, cars, sun, sky and camera."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, mesh = bpy.context.scene, meshes()
    grey = theta["roadBrightness"] * rng.uniform(0.8, 1.2)
    add(mesh["cube"], ROAD, (0, LENGTH / 2, -0.1), (8, LENGTH + 40, 0.2), material((grey, grey, grey)))
    for side in (-1, 1):
        pavement = material((0.35, 0.33, 0.3))
        add(mesh["cube"], SIDEWALK, (side * 34, LENGTH / 2, -0.05), (60, LENGTH + 40, 0.2), pavement)
        y = -5.0
        while y < LENGTH:
            deep, high = rng.uniform(7, 14), theta["buildingHeight"] * rng.uniform(0.6, 1.4)
            wall = material(rng.uniform(0.2, 0.6) * rng.uniform(0.8, 1, 3))
            add(mesh["cube"], BUILDING, (side * 13, y + deep / 2, high / 2), (12, deep * 0.97, high), wall)
            if rng.random() < theta["trees"]:
                crown, green = rng.uniform(2.5, 4.5), material(np.array((0.08, 0.16, 0.05)) * rng.uniform(0.6, 1.5))
                add(mesh["ball"], VEGETATION, (side * 6, y + deep / 2, 2 + crown / 2), (crown, crown, crown), green)
                add(mesh["cube"], VEGETATION, (side * 6, y + deep / 2, 1), (0.3, 0.3, 2), material((0.1, 0.06, 0.03)))
            y += deep
        nearest = 9.0
        while nearest < LENGTH:  # cars on the lane of this side, at random distances
            nearest += 6 + rng.exponential(100 / max(theta["cars"], 1e-3))
            if nearest < LENGTH:
                build_car(mesh, rng, theta, side * rng.normal(2, 0.15), nearest)

    sun = bpy.data.lights.new("sun", "SUN")
    sun.energy, sun.angle = theta["sunStrength"] * rng.uniform(0.7, 1.3), math.radians(1)
    lamp = bpy.data.objects.new("sun", sun)
    tilt = math.radians(90 - np.clip(rng.normal(theta["sunElevation"], 5), 5, 85))
    lamp.rotation_euler = (tilt, 0, rng.uniform(0, 2 * math.pi))
    scene.collection.objects.link(lamp)
    world = scene.world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    sky = world.node_tree.nodes["Background"].inputs
    sky["Color"].default_value, sky["Strength"].default_value = (0.75, 0.87, 1, 1), theta["skyBrightness"]

    camera = bpy.data.cameras.new("camera")
    camera.angle = math.radians(np.clip(rng.normal(theta["fieldOfView"], 2), 20, 120))
    eye = bpy.data.objects.new("camera", camera)
    eye.location = (rng.normal(2, 0.2), 0, np.clip(rng.normal(theta["cameraHeight"], 0.05), 0.5, 10))
    eye.rotation_euler = (math.radians(90 + rng.normal(theta["cameraPitch"], 0.5)), 0, math.radians(rng.normal(0, 1.5)))
    scene.collection.objects.link(eye)
    scene.camera = eye
    return scene


# ---- Pictures ---------------------------------------------------------------------------------------------------------


def set_up(scene, width, height, seed):
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.use_denoising = False
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.max_bounces = 2
    scene.cycles.seed = seed
    scene.render.threads_mode, scene.render.threads = "FIXED", int(os.environ.get("OMP_NUM_THREADS", "1"))
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.view_settings.view_transform = "Standard"


def drawn(scene, path):
    """Draws into a file, and reads it: float [height, width, 4]."""
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]  # Blender's first row is the lowest


def draw_image(scene, place, samples):
    """Colours as a screen shows them: uint8 [height, width, 3]."""
    scene.cycles.samples = samples
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"
    return np.rint(drawn(scene, Path(place, "image.png"))[:, :, :3] * 255).astype(np.uint8)


def draw_labels(scene, place):
    """The label of each pixel, from the pass of object indices at its centre: uint8 [height, width]."""
    scene.view_layers[0].use_pass_object_index = True
    scene.cycles.samples, scene.cycles.pixel_filter_type, scene.cycles.filter_width = 1, "BOX", 0.01
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "OPEN_EXR", "RGB"
    scene.render.image_settings.color_depth = "32"
    scene.use_nodes = True
    nodes, links = scene.node_tree.nodes, scene.node_tree.links
    nodes.clear()
    layers, out = nodes.new("CompositorNodeRLayers"), nodes.new("CompositorNodeComposite")
    links.new(layers.outputs["IndexOB"], out.inputs["Image"])
    index = np.rint(drawn(scene, Path(place, "labels.exr"))[:, :, 0]).astype(int)
    return np.where(index == 0, SKY, index - 1).astype(np.uint8)


def write_png(path, pixels):
    """Writes uint8 pixels, and no more: Blender's own files say when they were drawn, so none is like another."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def draw_set(request):
    out, options = Path(request["out"]), request["options"]
    for kind in ("images", "labels"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for done in range(request["count"]):
            index = request["first"] + done
            rng = np.random.default_rng([request["seed"], index])  # the same image, whoever else is drawn
            scene = build_street(request["theta"], rng)
            set_up(scene, request["width"], request["height"], int(rng.integers(2**31)))
            write_png(out / "images" / f"{index:06}.png", draw_image(scene, place, options.get("samples", 8)))
            write_png(out / "labels" / f"{index:06}.png", draw_labels(scene, place))
            with open(request["progress"], "a") as file:
                file.write(json.dumps({"fraction": (done + 1) / request["count"]}) + "\n")


given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
if given:
    draw_set(json.loads(Path(given[0]).read_text()))
else:
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            draw_set(asked)
            answer = {"id": asked["id"], "exit": 0}
        except Exception as error:
            answer = {"id": asked["id"], "exit": 1, "reason": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
