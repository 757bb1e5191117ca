"""What pycocotools makes of boxes: numbers to compare ours with.

    pip install pycocotools
    python coco.py < cases.json

Reads a list of cases: {"images": [{"truth": [[x, y, width, height, ignored]], "detections": [[x, y, width, height,
score]]}], "overlaps": [first, last, count]}. Prints the average precision of each overlap of each case, as JSON.
"""

import contextlib, io, json, sys
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def precisions(case):
    images, truth, found = case["images"], [], []
    for image, boxes in enumerate(images, 1):
        for x, y, width, height, ignored in boxes["truth"]:
            box = {"bbox": [x, y, width, height], "area": width * height, "iscrowd": int(ignored)}
            truth.append({"id": len(truth) + 1, "image_id": image, "category_id": 1, **box})
        for x, y, width, height, score in boxes["detections"]:
            found.append({"image_id": image, "category_id": 1, "bbox": [x, y, width, height], "score": score})
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i} for i in range(1, len(images) + 1)],
        "categories": [{"id": 1}],
        "annotations": truth,
    }
    coco.createIndex()
    coco.dataset.setdefault("info", {})
    evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
    evaluation.params.iouThrs = np.linspace(*case["overlaps"])
    evaluation.evaluate()
    evaluation.accumulate()
    curves = evaluation.eval["precision"][:, :, 0, 0, -1]  # all areas, 100 detections: [overlaps, recalls]
    return [float(curve.mean()) for curve in curves]


with contextlib.redirect_stdout(io.StringIO()):
    answers = [precisions(case) for case in json.load(sys.stdin)]
print(json.dumps(answers))
