import type { Architecture } from '../training/architecture.ts';
import type { Layer, Network } from '../training/network.ts';
import { blockLayers, blockOutput, runBlocks } from './efficientnet-lite0.ts';
import type { Features } from './features.ts';
import { weightsOf } from './weights.ts';

/** A network with blocks of the backbone that are trained with it. */
interface Finetuned extends Pick<Architecture, 'layers' | 'network'> {
  /** What the blocks begin with, and how their outputs are standardised. */
  known(features: Features): ReadonlyMap<Layer, Float32Array>;
}

/**
 * Puts the blocks behind `cut` before a network on the outputs of taps. These are standardised as if the blocks were not
 * trained.
 *
 * @param cut the block whose output becomes the last input; the others are the outputs of the taps before it
 */
export function finetuned(
  onTaps: Pick<Architecture, 'layers' | 'network'>,
  taps: readonly number[],
  cut: number,
): Finetuned {
  const blocks = blockLayers(cut + 1, taps.at(-1)!);
  const behind = taps.filter((tap) => tap > cut);
  const own = taps.includes(cut) ? [cut, ...behind] : behind;
  const scales = own.map((tap) => scaleLayer(blockOutput(tap).channels));
  const network: Network = (inputs, on) => {
    const start = inputs.at(-1)!;
    const run = runBlocks(start, cut + 1, behind, on);
    const outputs = taps.includes(cut) ? [start, ...run] : run;
    const standardised = outputs.map((output, i) => on.layer(scales[i]!, output));
    return onTaps.network([...inputs.slice(0, -1), ...standardised], on);
  };
  return {
    layers: [...blocks, ...scales, ...onTaps.layers],
    network,
    known(features) {
      const published = blocks.map((layer) => [layer, weightsOf(layer)] as const);
      const measured = own.map((tap, i) => {
        const { mean, factor } = features.scaleOf(tap);
        return [scales[i]!, { filter: factor, bias: mean.map((m, c) => -m * factor[c]!) }] as const;
      });
      const all = [...published, ...measured];
      return new Map(all.map(([layer, { filter, bias }]) => [layer, Float32Array.from([...filter, ...bias])]));
    },
  };
}

/** A factor and a summand for each channel, which stay as they are. */
function scaleLayer(channels: number): Layer {
  const shape = { kind: 'depthwise', size: 1, inChannels: channels, outChannels: channels } as const;
  return { ...shape, normalised: false, rate: 0 };
}
