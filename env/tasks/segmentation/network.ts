/**
 * The segmentation network: every convolution but the last is followed by batch normalisation and ReLU.
 *
 *     patches /4 ─ stem ─ fine ────────────────────────────────(+)─ merge ─ head → logits /4
 *                          └ /8 halve ─ wide ─ wider ─ rise ────┘
 *
 * The two dilated convolutions let a cell see about 50 pixels around it, at the cost of small filters (Yu and Koltun
 * 2016, arXiv 1511.07122).
 */
import { onPatches, type Architecture } from '../training/architecture.ts';
import type { Layer, Network } from '../training/network.ts';
import { PATCH, SIGHT } from '../training/resolution.ts';

/** The side of a cell of the output, in pixels. */
const CELL = PATCH;

/** Width and height of the input must be multiples of this many pixels. */
const GRID = 2 * PATCH;

type SegmentationLayers = Readonly<
  Record<'stem' | 'fine' | 'halve' | 'wide' | 'wider' | 'rise' | 'merge' | 'head', Layer>
>;

/**
 * The layers in order.
 *
 * @param width factor of the number of channels: 1 is about 39 thousand weights
 */
function segmentationLayers(classCount: number, width = 1): SegmentationLayers {
  const fine = Math.max(4, 4 * Math.round(6 * width));
  const coarse = Math.max(4, 4 * Math.round(9 * width));
  const layer = (size: number, inChannels: number, outChannels: number, dilation = 1): Layer => ({
    size,
    inChannels,
    outChannels,
    dilation,
    normalised: true,
  });
  return {
    stem: layer(1, SIGHT * SIGHT * 3, fine),
    fine: layer(3, fine, fine),
    halve: layer(1, 4 * fine, coarse),
    wide: layer(3, coarse, coarse, 2),
    wider: layer(3, coarse, coarse, 4),
    rise: layer(1, coarse, 4 * fine),
    merge: layer(1, fine, fine),
    head: { size: 1, inChannels: fine, outChannels: classCount, normalised: false },
  };
}

/** From patches, [n, height / 4, width / 4, 108], to logits, [n, height / 4, width / 4, classes]. */
function segmentationNetwork(layers: SegmentationLayers): Network {
  return ([patches], on) => {
    const fine = on.layer(layers.fine, on.layer(layers.stem, patches!));
    const coarse = on.layer(layers.wider, on.layer(layers.wide, on.layer(layers.halve, on.spaceToDepth(fine))));
    const risen = on.add(on.depthToSpace(on.layer(layers.rise, coarse)), fine);
    return on.layer(layers.head, on.layer(layers.merge, risen));
  };
}

/** The network, given patches. @param width factor of the number of channels */
export function smallSegmentation(classCount: number, width = 1): Architecture {
  const layers = segmentationLayers(classCount, width);
  return onPatches({
    layers: Object.values(layers),
    network: segmentationNetwork(layers),
    cell: CELL,
    grid: GRID,
    levels: 'own',
    smallestView: 0.7,
  });
}
