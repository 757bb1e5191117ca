"""Reads a data set as its users would, with pycocotools and PIL: read_dataset.py FOLDER. Exits with 3 where they are missing."""

import json
import sys
from pathlib import Path

try:
    import numpy as np
    from PIL import Image
    from pycocotools.coco import COCO
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)

folder = Path(sys.argv[1])
coco = COCO(str(folder / "annotations.json"))
metadata = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
objects = 0
for image, facts in zip(coco.loadImgs(coco.getImgIds()), metadata, strict=True):
    rgb = np.array(Image.open(folder / image["file_name"]))
    assert rgb.shape == (image["height"], image["width"], 3) and rgb.dtype == np.uint8
    name = Path(image["file_name"]).name
    labels, camvid, instances, depth = (
        np.array(Image.open(folder / kind / name)) for kind in ["labels", "labels_camvid", "instances", "depth"]
    )
    assert labels.dtype == camvid.dtype == np.uint8 and instances.dtype == depth.dtype == np.uint16
    assert ((depth == 0) == (labels == 10)).all(), "only the sky (train id 10) has no depth"
    assert ((camvid == 0) == (labels == 10)).all(), "the sky is CamVid's class 0"
    for annotation in coco.loadAnns(coco.getAnnIds(image["id"])):
        mask = coco.annToMask(annotation).astype(bool)
        assert (mask == (instances == annotation["instance"])).all()
        assert mask.sum() == annotation["area"]
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert box == annotation["bbox"]
        objects += 1
    assert sum(one["visible"] for one in facts["cars"] + facts["people"]) == len(coco.getAnnIds(image["id"]))
print(f"{len(metadata)} pictures, {objects} objects, {len(coco.getCatIds())} categories")
