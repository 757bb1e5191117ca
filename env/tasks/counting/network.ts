/**
 * The counting network: five convolutions, each followed by batch normalisation and ReLU, and a head that predicts the
 * number of cars of each type in every cell.
 *
 *     patches /4 ─ stem ─ fine ─ /8 halve ─ middle ─ deep ─ head → softplus⁻¹ of the mean counts /8
 */
import { onPatches, type Architecture } from '../training/architecture.ts';
import type { Levels } from '../training/augmentation.ts';
import type { Layer, Network } from '../training/network.ts';
import { PATCH, SIGHT } from '../training/resolution.ts';

/** The side of a cell of the output, in pixels. Width and height of the input are multiples of it. */
const CELL = 2 * PATCH;

type CountingLayers = Readonly<Record<'stem' | 'fine' | 'halve' | 'middle' | 'deep' | 'head', Layer>>;

/** The layers in order. @param width factor of the number of channels: 1 is about 54 thousand weights */
function countingLayers(typeCount: number, width = 1): CountingLayers {
  const fine = Math.max(4, 4 * Math.round(6 * width));
  const coarse = Math.max(4, 4 * Math.round(12 * width));
  const layer = (size: number, inChannels: number, outChannels: number): Layer => ({
    size,
    inChannels,
    outChannels,
    normalised: true,
  });
  return {
    stem: layer(1, SIGHT * SIGHT * 3, fine),
    fine: layer(3, fine, fine),
    halve: layer(1, 4 * fine, coarse),
    middle: layer(3, coarse, coarse),
    deep: layer(3, coarse, coarse),
    head: { size: 1, inChannels: coarse, outChannels: typeCount, normalised: false },
  };
}

/** From patches, [n, height / 4, width / 4, 108], to answers, [n, height / 8, width / 8, types]. */
function countingNetwork(layers: CountingLayers): Network {
  return ([patches], on) => {
    const fine = on.layer(layers.fine, on.layer(layers.stem, patches!));
    const coarse = on.layer(layers.halve, on.spaceToDepth(fine));
    return on.layer(layers.head, on.layer(layers.deep, on.layer(layers.middle, coarse)));
  };
}

/** The network, given patches. @param width factor of the number of channels */
export function smallCounting(typeCount: number, width: number, levels: Levels): Architecture {
  const layers = countingLayers(typeCount, width);
  return onPatches({
    layers: Object.values(layers),
    network: countingNetwork(layers),
    cell: CELL,
    grid: CELL,
    levels,
    smallestView: 1, // a crop would cut cars off, and the scored pictures are whole
  });
}
