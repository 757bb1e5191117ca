"""Images per second of pybullet's TinyRenderer: 80 boxes and a ground, colours + segmentation + depth.

Usage: render_pybullet.py WIDTH HEIGHT SECONDS   (needs: pip install pybullet)
"""
import random
import sys
import time

import pybullet as p

width, height, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
draw = random.Random(0)


def add_box(size, centre, colour):
    half = [edge / 2 for edge in size]
    shape = p.createVisualShape(p.GEOM_BOX, halfExtents=half, rgbaColor=[*colour, 1])
    p.createMultiBody(0, -1, shape, centre)


p.connect(p.DIRECT)
for _ in range(80):
    size = [draw.uniform(0.5, 2.5), draw.uniform(0.5, 2.5), draw.uniform(0.5, 4)]
    centre = [draw.uniform(-10, 10), draw.uniform(3, 40), size[2] / 2]
    add_box(size, centre, [draw.random() for _ in range(3)])
add_box([40, 60, 0.02], [0, 30, 0], [0.3, 0.3, 0.3])
projection = p.computeProjectionMatrixFOV(60, width / height, 0.1, 100)


def frame(i):
    view = p.computeViewMatrix([0, -2 + i % 500 * 0.01, 1.5], [0, 10 + i % 500 * 0.01, 1.5], [0, 0, 1])
    p.getCameraImage(width, height, view, projection, renderer=p.ER_TINY_RENDERER, shadow=0)


frame(0)
count, start = 0, time.process_time()
while time.process_time() - start < seconds:
    frame(count)
    count += 1
print(count / (time.process_time() - start), flush=True)
