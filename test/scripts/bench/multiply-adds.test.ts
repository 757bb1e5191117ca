import assert from 'node:assert/strict';
import { IMAGE_TASK_DEFAULTS } from '../../../env/tasks/image-task.ts';
import { onPatches } from '../../../env/tasks/training/architecture.ts';
import { backboneMultiplyAdds, forwardMultiplyAdds } from '../../../scripts/bench/multiply-adds.ts';

describe('multiply-adds', () => {
  it('are the .39 billion of Tan and Le (2019, table 2) for EfficientNet-B0, whose convolutions Lite0 has', () => {
    // The last convolution, from 320 to 1280 channels, and the 1000 classes are left out of ours.
    const ours = backboneMultiplyAdds([1, 224, 224, 3], IMAGE_TASK_DEFAULTS.taps) + 7 * 7 * 320 * 1280 + 1280 * 1000;
    assert.equal(Math.round(ours / 1e7), 39);
  });

  it('are counted over every layer and cell of a network', () => {
    const { network } = onPatches({
      ...{ cell: 4, grid: 8, levels: 'own', smallestView: 1 },
      layers: [],
      network: ([x], on) => {
        const half = on.layer({ size: 3, inChannels: 8, outChannels: 4, normalised: true }, on.spaceToDepth(x!));
        return on.add(
          on.layer({ size: 1, inChannels: 1, outChannels: 5, normalised: false }, on.depthToSpace(half)),
          x!,
        );
      },
    });
    assert.equal(forwardMultiplyAdds(network, [[2, 6, 4, 2]]), 2 * (3 * 2 * 9 * 8 * 4 + 6 * 4 * 5));
  });
});
