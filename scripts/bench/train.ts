/** Compares training images per CPU second of our trainings and of the same network in PyTorch. */
import { MERGED_CLASSES } from '../../env/tasks/segmentation/merged-classes.ts';
import { smallSegmentation } from '../../env/tasks/segmentation/network.ts';
import { compareWithTorch, type NetworkBenchOptions } from './beside-torch.ts';
import { forwardMultiplyAdds } from './multiply-adds.ts';

/** The backward pass needs the forward pass's multiply-adds twice: for the filters and for the images. */
const PASSES = 3;

/** @param options its width and height are multiples of 8 */
export async function benchTrain(options: NetworkBenchOptions): Promise<void> {
  const { width, height } = options;
  const architecture = smallSegmentation(MERGED_CLASSES.length);
  const size = { width, height };
  const given = await architecture.inputs({ images: [], size, seed: 1, augment: false, progress: () => {} });
  await compareWithTorch(options, {
    ours: [
      { title: '', program: 'train-ours.ts', words: ['steps'] },
      { title: ', whole training', program: 'train-ours.ts', words: ['whole'] },
    ],
    torch: 'train_torch.py',
    torchHasCuda: true,
    multiplyAdds: PASSES * forwardMultiplyAdds(architecture.network, given.shapes(1)),
  });
}
