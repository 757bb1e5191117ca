import assert from 'node:assert/strict';
import type { Task } from '../../../env/tasks/task.ts';

type Seeds = Parameters<Task<unknown>['train']>[1];

/** Trains on images and scores on them: the same for the same seeds, other scores for other first weights or another order. */
export async function assertSeedsDecide<Image>(task: () => Task<Image>, images: readonly Image[], seeds: Seeds) {
  const score = async (given: Seeds) => {
    const model = await task().train(images, given, () => {});
    const scores = await model.score(images);
    model.dispose();
    return scores;
  };
  const first = await score(seeds);
  assert.deepEqual(await score(seeds), first);
  assert.notDeepEqual(await score({ ...seeds, initialisation: 3 }), first);
  assert.notDeepEqual(await score({ ...seeds, order: 3 }), first);
}
