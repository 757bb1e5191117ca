"""Images per second of MuJoCo on OSMesa: 80 boxes and a ground, colours + segmentation + depth.

Usage: render_mujoco.py WIDTH HEIGHT SECONDS   (needs: pip install mujoco "PyOpenGL>=3.1.9", Debian libosmesa6)
"""
import os
import random
import sys
import time

os.environ.setdefault("MUJOCO_GL", "osmesa")
os.environ.setdefault("PYOPENGL_PLATFORM", "osmesa")
import mujoco  # noqa: E402  (reads the environment when it loads)

width, height, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
draw = random.Random(0)


def box():
    half = [draw.uniform(0.25, 1.25), draw.uniform(0.25, 1.25), draw.uniform(0.25, 2)]
    colour = " ".join(str(draw.random()) for _ in range(3))
    place = f"{draw.uniform(-10, 10)} {draw.uniform(3, 40)} {half[2]}"
    return f'<geom type="box" pos="{place}" size="{half[0]} {half[1]} {half[2]}" rgba="{colour} 1"/>'


model = mujoco.MjModel.from_xml_string(f"""
<mujoco>
  <visual><quality shadowsize="0"/><global offwidth="{width}" offheight="{height}"/></visual>
  <worldbody>
    <light pos="0 0 50"/>
    <geom type="plane" pos="0 30 0" size="20 30 .1" rgba=".3 .3 .3 1"/>
    {"".join(box() for _ in range(80))}
    <body name="eye" mocap="true" pos="0 -2 1.5"><camera name="ego" xyaxes="1 0 0 0 0 1" fovy="60"/></body>
  </worldbody>
</mujoco>""")
data = mujoco.MjData(model)
renderer = mujoco.Renderer(model, height, width)


def frame(i):
    data.mocap_pos[0] = [0, -2 + i % 500 * 0.01, 1.5]
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)
    renderer.update_scene(data, "ego")
    renderer.render()
    renderer.enable_segmentation_rendering()
    renderer.render()
    renderer.disable_segmentation_rendering()
    renderer.enable_depth_rendering()
    renderer.render()
    renderer.disable_depth_rendering()


frame(0)
count, start = 0, time.process_time()
while time.process_time() - start < seconds:
    frame(count)
    count += 1
print(count / (time.process_time() - start), flush=True)
os._exit(0)  # MuJoCo's OSMesa context fails in its destructor.
