/** Compares images per CPU second through the pretrained backbone, of ours and of the same network in PyTorch. */
import { compareWithTorch, type NetworkBenchOptions } from './beside-torch.ts';
import { backboneMultiplyAdds } from './multiply-adds.ts';
import { IMAGE_TASK_DEFAULTS } from '../../env/tasks/image-task.ts';

export async function benchBackbone(options: NetworkBenchOptions): Promise<void> {
  await compareWithTorch(options, {
    ours: [{ title: '', program: 'backbone-ours.ts', words: [] }],
    torch: 'backbone_torch.py',
    multiplyAdds: backboneMultiplyAdds([1, options.height, options.width, 3], IMAGE_TASK_DEFAULTS.taps),
  });
}
